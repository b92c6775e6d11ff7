// SPDX-License-Identifier: MIT
#include "engine/sandbox/seccompprofile.h"

#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QSet>
#include <QTest>

using namespace isol8;
using namespace Qt::StringLiterals;

/// What the strict profile says, without a kernel; tests/live tries the calls themselves.
class TestSeccompProfile : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void isASubsetOfDockersOwn();
    void allowsNoDangerousCall_data();
    void allowsNoDangerousCall();
    void refusesByDefault();
    void knowsNoForeignArchitecture();

private:
    [[nodiscard]] static QJsonObject profile()
    {
        return QJsonDocument::fromJson(strictSeccompProfile().toUtf8()).object();
    }
    [[nodiscard]] static QSet<QString> allowed();
};

QSet<QString> TestSeccompProfile::allowed()
{
    QSet<QString> names;
    for (const auto& value : profile().value("syscalls"_L1).toArray()) {
        const auto rule = value.toObject();
        if (rule.value("action"_L1).toString() != "SCMP_ACT_ALLOW"_L1)
            continue;
        for (const auto& name : rule.value("names"_L1).toArray())
            names.insert(name.toString());
    }
    return names;
}

void TestSeccompProfile::isASubsetOfDockersOwn()
{
    QFile file(QStringLiteral(ISOL8_TEST_DATA "/seccomp/docker-default.txt"));
    QVERIFY(file.open(QIODevice::ReadOnly));
    QSet<QString> docker;
    for (const auto& line : QString::fromUtf8(file.readAll()).split(u'\n')) {
        if (line.startsWith(u'#'))
            continue;
        for (const auto& name : line.split(u' ', Qt::SkipEmptyParts))
            docker.insert(name);
    }
    QVERIFY(docker.size() > 300);
    const auto more = allowed() - docker;
    QVERIFY2(more.isEmpty(), qPrintable(QStringList(more.begin(), more.end()).join(u' ')));
    QVERIFY(allowed().size() < docker.size());
}

void TestSeccompProfile::allowsNoDangerousCall_data()
{
    QTest::addColumn<QString>("name");
    for (const auto* name : { "bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "add_key",
             "keyctl", "request_key", "kexec_load", "init_module", "ptrace", "process_vm_writev",
             "pidfd_getfd", "mount", "umount2", "unshare", "setns", "pivot_root", "chroot",
             "open_by_handle_at", "reboot", "swapon", "settimeofday", "clock_settime", "modify_ldt",
             "fanotify_init", "socketcall", "clone3", "io_setup", "seccomp", "name_to_handle_at" })
        QTest::newRow(name) << QString::fromLatin1(name);
}

void TestSeccompProfile::allowsNoDangerousCall()
{
    QFETCH(QString, name);
    QVERIFY(!allowed().contains(name));
}

void TestSeccompProfile::refusesByDefault()
{
    QCOMPARE(profile().value("defaultAction"_L1).toString(), u"SCMP_ACT_ERRNO"_s);
    QVERIFY(allowed().contains(u"read"_s));
    QVERIFY2(
        !strictSeccompProfile().contains(u'\n'), "sent with every create call, so on one line");
}

void TestSeccompProfile::knowsNoForeignArchitecture()
{
    for (const auto& value : profile().value("archMap"_L1).toArray())
        QVERIFY(value.toObject().value("subArchitectures"_L1).toArray().isEmpty());
}

QTEST_GUILESS_MAIN(TestSeccompProfile)
#include "tst_seccompprofile.moc"
