// SPDX-License-Identifier: MIT
// Section B9 of ABUSE.md: hostile images.
#include "engine/core/names.h"
#include "engine/docker/client.h"
#include "engine/files/tar.h"
#include "engine/guest/guestbinary.h"
#include "engine/images/buildcontext.h"
#include "engine/images/download.h"
#include "engine/images/recipe.h"
#include "engine/sandbox/labels.h"
#include "tests/abuse/engineabusetest.h"
#include "tests/app/liveprogram.h"
#include "tests/support/localserver.h"

#include <QCoroTask>
#include <QCryptographicHash>

using namespace isol8;
using namespace isol8::test;
using namespace isol8::tests;
using namespace Qt::StringLiterals;

namespace {

constexpr int patience = 120'000;
const QString imageName = u"isol8-test-hostile"_s;

} // namespace

class TestAbuseImg : public EngineAbuseTest {
    Q_OBJECT

private Q_SLOTS:
    void attack_data();
    void attack();

private:
    static const Case<TestAbuseImg> cases[];

    void settings(World& world);
    void bare(World& world);
    void labels(World& world);
    void wrongBytes(World& world);
    void rightBytes(World& world);

    void build(const QByteArray& dockerfile);
    /// An image of nothing but @p entries.
    void import(const QList<TarEntry>& entries, const QStringList& changes);
    [[nodiscard]] static ExecutionOptions withImage()
    {
        ExecutionOptions options;
        options.image = imageName + u":one"_s;
        return options;
    }

    QTemporaryDir m_folder;
};

const Case<TestAbuseImg> TestAbuseImg::cases[] {
    { "IMG-03", &TestAbuseImg::settings, &TestAbuseImg::runs },
    { "IMG-05", &TestAbuseImg::bare, &TestAbuseImg::runs },
    { "IMG-06", &TestAbuseImg::labels, &TestAbuseImg::runs },
    { "IMG-07", &TestAbuseImg::wrongBytes, &TestAbuseImg::rightBytes },
};

void TestAbuseImg::attack_data()
{
    addRows<TestAbuseImg>(cases);
}

void TestAbuseImg::attack()
{
    perform<TestAbuseImg>(this, cases);
    // A command that ran it may have left a spare of it, which holds it.
    const auto image = QCoro::waitFor(client().inspectImage(imageName + u":one"_s));
    const auto isRemoved = [&] {
        const auto spares
            = QCoro::waitFor(client().listContainers({ isol8::labels::kind + u"=spare"_s }));
        for (const auto& spare : spares.value_or(QList<docker::ContainerSummary>())) {
            if (image && image->id.contains(spare.image))
                (void)QCoro::waitFor(client().removeContainer(spare.id));
        }
        return QCoro::waitFor(client().removeImage(imageName + u":one"_s)).has_value();
    };
    QVERIFY(QTest::qWaitFor(isRemoved, patience));
}

void TestAbuseImg::build(const QByteArray& dockerfile)
{
    BuildContext context;
    context.files = { { u"Dockerfile"_s, dockerfile } };
    docker::BuildSpec spec;
    spec.contextPath = m_folder.filePath(u"context.tar"_s);
    spec.tag = imageName + u":one"_s;
    spec.networkMode = u"none"_s;
    RUN_OR_FAIL(QCoro::waitFor(writeContext(context, spec.contextPath, {})));
    RUN_OR_FAIL(QCoro::waitFor(client().buildImage(spec, {})));
}

void TestAbuseImg::import(const QList<TarEntry>& entries, const QStringList& changes)
{
    const auto tar = tarOf(entries);
    RUN_OR_FAIL(tar);
    QFile file(m_folder.filePath(u"image.tar"_s));
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write(*tar);
    file.close();
    RUN_OR_FAIL(
        QCoro::waitFor(client().importImage(file.fileName(), imageName + u":one"_s, changes, {})));
}

void TestAbuseImg::settings(World& world)
{
    // Whatever an image says of how it is to be run; the escape of CVE-2024-21626 is among it.
    build("FROM isol8:bash\n"
          "RUN mkdir -m 777 /evil /var/lib/evil\n"
          "ENV LD_PRELOAD=/evil.so PYTHONHOME=/evil HTTP_PROXY=http://192.0.2.1:1 FROM_IMAGE=yes\n"
          "ENV PATH=/evil:/usr/local/bin:/usr/bin:/bin\n"
          "VOLUME /evil /var/lib/evil\n"
          "HEALTHCHECK --interval=1s CMD touch /sandbox/checked\n"
          "STOPSIGNAL SIGCONT\nEXPOSE 22\nONBUILD RUN false\nSHELL [\"/evil\"]\n"
          "LABEL isol8.session=\"evil\" isol8.owner=\"evil\" isol8.kind=\"kept\"\n"
          "USER 1234:1234\nENTRYPOINT [\"/evil\"]\nCMD [\"evil\"]\nWORKDIR /proc/self/fd/8\n");
    if (QTest::currentTestFailed())
        return;
    const auto result
        = bash("unset LD_PRELOAD; id -u; id -g; pwd; echo $FROM_IMAGE; "
               "tr '\\0' ' ' </proc/1/cmdline; echo; touch /evil/x || echo closed; "
               "ls /sandbox/checked 2>&1 | grep -c cannot; trap 'echo gone' CONT; echo "
                + world.marker,
            withImage());
    RUN_OR_FAIL(result);
    QCOMPARE(result->exitCode, 0);
    QCOMPARE(result->standardOutput,
        "100\n101\n/sandbox\nyes\n/.isol8/guest \nclosed\n1\n" + world.marker + '\n');
    const auto sessions = QCoro::waitFor(fixture().engine().sessions());
    RUN_OR_FAIL(sessions);
    QVERIFY(std::ranges::none_of(
        *sessions, [](const SessionInfo& session) { return session.id == "evil"_L1; }));
}

void TestAbuseImg::bare(World&)
{
    // No shell, no libc, no /etc/passwd, no /tmp: it works, or what is missing is said.
    import({ { .path = u"program"_s, .mode = 0755, .content = guestBinary() } }, {});
    if (QTest::currentTestFailed())
        return;
    for (const auto runtime : { Runtime::Bash, Runtime::Python, Runtime::Node }) {
        const auto result = run(requestOf(runtime, "1"), withImage());
        QVERIFY(!result);
        QCOMPARE(result.error().kind, Kind::NotFound);
        QVERIFY2(result.error().message.contains(imageName), qPrintable(result.error().message));
    }
}

void TestAbuseImg::labels(World& world)
{
    const auto marker = QString::fromLatin1(world.marker);
    import({ { .path = u"program"_s, .mode = 0755, .content = guestBinary() } },
        { u"LABEL org.isol8.setup=\"touch /tmp/%1\""_s.arg(marker),
            u"LABEL isol8.setup=\"touch /tmp/%1\""_s.arg(marker), u"LABEL isol8.managed=\"true\""_s,
            u"LABEL isol8.runtime=\"bash\""_s, u"LABEL isol8.custom=\"true\""_s });
    if (QTest::currentTestFailed())
        return;
    ProgramFixture program;
    const auto listed = program.run({ u"list-custom"_s });
    QCOMPARE(listed.exitCode, 0);
    QVERIFY2(!listed.out.contains(imageName.toLatin1()), listed.out.constData());
    const auto setup
        = program.run({ u"run"_s, u"--image"_s, imageName + u":one"_s, u"--cmd"_s, u"true"_s });
    QVERIFY(setup.exitCode != 0);
    QVERIFY(!QFile::exists(u"/tmp/"_s + marker));
    QVERIFY2(!(setup.out + setup.err).contains(world.marker), setup.err.constData());
}

void TestAbuseImg::wrongBytes(World&)
{
    // Every download is pinned, and other bytes are refused.
    int pinned = 0;
    for (const auto runtime : { Runtime::Node, Runtime::Bun, Runtime::Deno, Runtime::Agent }) {
        for (const auto architecture : { Architecture::Amd64, Architecture::Arm64 }) {
            for (const auto& artifact : recipeOf(runtime, architecture).artifacts) {
                ++pinned;
                QVERIFY2(artifact.integrity.startsWith("sha512-"_L1)
                        && artifact.integrity.size() == 7 + 88,
                    qPrintable(artifact.package));
            }
        }
    }
    QVERIFY(pinned > 300);
    LocalServer server;
    server.addBody(u"/package.tgz"_s, "other bytes");
    DownloadSpec spec;
    spec.url = QUrl(server.url(u"/package.tgz"_s));
    spec.path = m_folder.filePath(u"package.tgz"_s);
    spec.integrity = u"sha512-"_s
        + QString::fromLatin1(
            QCryptographicHash::hash("the bytes", QCryptographicHash::Sha512).toBase64());
    const auto fetched = QCoro::waitFor(download(spec, {}, {}));
    QVERIFY(!fetched);
    QCOMPARE(fetched.error().kind, Kind::Denied);
    QVERIFY(!QFile::exists(spec.path));
}

void TestAbuseImg::rightBytes(World&)
{
    LocalServer server;
    server.addBody(u"/package.tgz"_s, "the bytes");
    DownloadSpec spec;
    spec.url = QUrl(server.url(u"/package.tgz"_s));
    spec.path = m_folder.filePath(u"package.tgz"_s);
    spec.integrity = u"sha512-"_s
        + QString::fromLatin1(
            QCryptographicHash::hash("the bytes", QCryptographicHash::Sha512).toBase64());
    RUN_OR_FAIL(QCoro::waitFor(download(spec, {}, {})));
    QVERIFY(QFile::exists(spec.path));
}

QTEST_GUILESS_MAIN(TestAbuseImg)
#include "tst_abuse_img.moc"
