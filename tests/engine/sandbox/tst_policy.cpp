// SPDX-License-Identifier: MIT
#include "engine/sandbox/enginepool.h"
#include "engine/sandbox/labels.h"
#include "engine/sandbox/policy.h"

#include <QTemporaryDir>
#include <QTest>

using namespace isol8;
using namespace Qt::StringLiterals;

/// The container that is asked for, from the options alone.
class TestPolicy : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void defaultsAreLockedDown();
    void limitsAreAsAsked();
    void hostNetworkOnlyWhenAsked();
    void isNotSharedWhenWeakened_data();
    void isNotSharedWhenWeakened();
    void foreignImageKeepsDockersHostsFile();
    void imageVolumesAreCovered();
    void sessionOutlivesItsHost();
    void folderForTheSocket();
    void seccompChoices();
    void customProfileMustBeOne_data();
    void customProfileMustBeOne();

private:
    [[nodiscard]] static SandboxPlan plan()
    {
        SandboxPlan plan;
        plan.image = u"isol8:python"_s;
        plan.guestVolume = u"isol8-guest-x"_s;
        plan.owner = u"me"_s;
        return plan;
    }
    [[nodiscard]] static QString tmpfsOptions(
        const docker::ContainerSpec& spec, const QString& target)
    {
        for (const auto& mount : spec.tmpfs) {
            if (mount.target == target)
                return mount.options;
        }
        return {};
    }
};

void TestPolicy::defaultsAreLockedDown()
{
    const auto spec = containerSpec({}, plan());
    QVERIFY(spec);
    QCOMPARE(spec->entrypoint, QStringList { u"/.isol8/guest"_s });
    QCOMPARE(spec->capabilitiesDropped, QStringList { u"ALL"_s });
    QCOMPARE(spec->capabilitiesAdded,
        (QStringList { u"SETUID"_s, u"SETGID"_s, u"SETPCAP"_s, u"KILL"_s }));
    QVERIFY(spec->securityOptions.contains(u"no-new-privileges"_s));
    QVERIFY(spec->isRootReadOnly);
    QVERIFY(spec->isNetworkDisabled);
    QCOMPARE(spec->networkMode, u"none"_s);
    QCOMPARE(spec->volumes.size(), 1);
    QVERIFY(spec->volumes.constFirst().isReadOnly);
    QCOMPARE(spec->memorySwapBytes, spec->memoryBytes);
    QCOMPARE(spec->logDriver, u"none"_s);
    QVERIFY(spec->isRemovedOnExit && spec->isStdinClosedOnDetach);
    QCOMPARE(spec->labels.value(labels::managed), u"true"_s);
    QCOMPARE(spec->labels.value(labels::owner), u"me"_s);
    QCOMPARE(tmpfsOptions(*spec, u"/sandbox"_s),
        u"rw,nosuid,nodev,exec,size=536870912,uid=100,gid=101,mode=0755"_s);
    QCOMPARE(tmpfsOptions(*spec, u"/tmp"_s), u"rw,nosuid,nodev,noexec,size=268435456,mode=1777"_s);
}

void TestPolicy::limitsAreAsAsked()
{
    ExecutionOptions options;
    options.cpuLimit = 0.25;
    options.memoryLimitBytes = 64LL << 20;
    options.pidsLimit = 16;
    options.sandboxSizeBytes = 1 << 20;
    options.tmpSizeBytes = 2 << 20;
    options.isRootReadOnly = false;
    const auto spec = containerSpec(options, plan());
    QVERIFY(spec);
    QCOMPARE(spec->nanoCpus, 250'000'000);
    QCOMPARE(spec->memoryBytes, 64LL << 20);
    QCOMPARE(spec->memorySwapBytes, 64LL << 20);
    QCOMPARE(spec->pidsLimit, 18);
    QVERIFY(tmpfsOptions(*spec, u"/sandbox"_s).contains(u"size=1048576,"_s));
    QVERIFY(tmpfsOptions(*spec, u"/tmp"_s).contains(u"size=2097152,"_s));
    QVERIFY(!spec->isRootReadOnly);
}

void TestPolicy::hostNetworkOnlyWhenAsked()
{
    ExecutionOptions options;
    options.network = NetworkMode::Filtered;
    auto spec = containerSpec(options, plan());
    QVERIFY(spec && spec->isNetworkDisabled);
    options.network = NetworkMode::Host;
    spec = containerSpec(options, plan());
    QVERIFY(spec && !spec->isNetworkDisabled);
    QCOMPARE(spec->networkMode, u"host"_s);
}

void TestPolicy::isNotSharedWhenWeakened_data()
{
    QTest::addColumn<bool>("isShared");
    QTest::addColumn<ExecutionOptions>("options");
    const auto row = [](const char* name, bool isShared, auto&& change) {
        ExecutionOptions options;
        change(options);
        QTest::newRow(name) << isShared << options;
    };
    row("as it is", true, [](auto&) { });
    row("filtered network", true, [](auto& options) { options.network = NetworkMode::Filtered; });
    row("host network", false, [](auto& options) { options.network = NetworkMode::Host; });
    row("other seccomp profile", false,
        [](auto& options) { options.seccomp = SeccompMode::Unconfined; });
    row("writable root", false, [](auto& options) { options.isRootReadOnly = false; });
    row("kept", false, [](auto& options) { options.isKept = true; });
}

void TestPolicy::isNotSharedWhenWeakened()
{
    QFETCH(bool, isShared);
    QFETCH(ExecutionOptions, options);
    QCOMPARE(isPoolable(options), isShared);
}

void TestPolicy::foreignImageKeepsDockersHostsFile()
{
    auto foreign = plan();
    foreign.isOwnImage = false;
    const auto spec = containerSpec({}, foreign);
    QVERIFY(spec && !spec->isNetworkDisabled);
    QCOMPARE(spec->networkMode, u"none"_s);
}

void TestPolicy::imageVolumesAreCovered()
{
    auto image = plan();
    image.imageVolumes = { u"/var/lib/data"_s, u"/sandbox"_s };
    const auto spec = containerSpec({}, image);
    QVERIFY(spec);
    QVERIFY(tmpfsOptions(*spec, u"/var/lib/data"_s).startsWith(u"ro,"_s));
    QCOMPARE(spec->tmpfs.size(), 3);
}

void TestPolicy::folderForTheSocket()
{
    const QList<docker::BindMount> folder { { {}, u"/.isol8-host"_s } };
    for (const auto kind :
        { SandboxKind::Run, SandboxKind::Pool, SandboxKind::Session, SandboxKind::Kept }) {
        auto other = plan();
        other.kind = kind;
        const auto spec = containerSpec({}, other);
        QVERIFY(spec && spec->binds == folder);
    }
    // Its host is not there yet.
    auto spare = plan();
    spare.kind = SandboxKind::Spare;
    QVERIFY(containerSpec({}, spare)->binds.isEmpty());
    ExecutionOptions options;
    options.seccomp = SeccompMode::Unconfined;
    QCOMPARE(containerSpec(options, plan())->binds, folder);
}

void TestPolicy::sessionOutlivesItsHost()
{
    auto session = plan();
    session.kind = SandboxKind::Session;
    session.session = u"work"_s;
    session.linger = std::chrono::seconds(60);
    const auto spec = containerSpec({}, session);
    QVERIFY(spec && !spec->isStdinClosedOnDetach && spec->isRemovedOnExit);
    QCOMPARE(spec->entrypoint, (QStringList { u"/.isol8/guest"_s, u"--linger"_s, u"60"_s }));
    QCOMPARE(spec->labels.value(labels::session), u"work"_s);
    QCOMPARE(spec->labels.value(labels::kind), u"session"_s);
}

void TestPolicy::seccompChoices()
{
    ExecutionOptions options;
    auto spec = containerSpec(options, plan());
    QVERIFY(spec && spec->securityOptions.at(1).startsWith(u"seccomp={"_s));
    options.seccomp = SeccompMode::Unconfined;
    spec = containerSpec(options, plan());
    QVERIFY(spec && spec->securityOptions.contains(u"seccomp=unconfined"_s));

    QTemporaryDir folder;
    QFile file(folder.filePath(u"profile.json"_s));
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write("{ \"defaultAction\": \"SCMP_ACT_ALLOW\" }\n");
    file.close();
    options.seccomp = SeccompMode::Custom;
    options.seccompProfilePath = file.fileName();
    spec = containerSpec(options, plan());
    QVERIFY(spec);
    QCOMPARE(spec->securityOptions.at(1), u"seccomp={\"defaultAction\":\"SCMP_ACT_ALLOW\"}"_s);
}

void TestPolicy::customProfileMustBeOne_data()
{
    QTest::addColumn<QByteArray>("content");
    QTest::newRow("empty") << ""_ba;
    QTest::newRow("not JSON") << "root:x:0:0"_ba;
    QTest::newRow("another object") << "{\"a\":1}"_ba;
    QTest::newRow("missing") << QByteArray();
}

void TestPolicy::customProfileMustBeOne()
{
    QFETCH(QByteArray, content);
    QTemporaryDir folder;
    ExecutionOptions options;
    options.seccomp = SeccompMode::Custom;
    options.seccompProfilePath = folder.filePath(u"profile.json"_s);
    if (!content.isNull()) {
        QFile file(options.seccompProfilePath);
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write(content);
    }
    const auto spec = containerSpec(options, plan());
    QVERIFY(!spec);
    QVERIFY(spec.error().message.contains(u"security.customProfilePath"_s));
    if (!content.isEmpty())
        QVERIFY(!spec.error().message.contains(QString::fromUtf8(content)));
}

QTEST_GUILESS_MAIN(TestPolicy)
#include "tst_policy.moc"
