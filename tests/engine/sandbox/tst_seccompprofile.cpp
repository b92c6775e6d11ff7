// SPDX-License-Identifier: MIT
#include "engine/sandbox/seccompprofile.h"

#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QSet>
#include <QTest>

#include <sys/ptrace.h>

using namespace isol8;
using namespace Qt::StringLiterals;

/// What the strict profile says, without a kernel; tests/live tries the calls themselves.
class TestSeccompProfile : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void isASubsetOfDockersOwn();
    void allowsNoDangerousCall_data();
    void allowsNoDangerousCall();
    void tracesOnlyWhatHasAskedForIt();
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
             "keyctl", "request_key", "kexec_load", "init_module", "process_vm_writev",
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

void TestSeccompProfile::tracesOnlyWhatHasAskedForIt()
{
    // For process 1, which denies all of ptrace(2) to programs. Nothing in here begins to trace a
    // process that has not asked for it (ATTACH, SEIZE).
    QList<int> requests;
    for (const auto& value : profile().value("syscalls"_L1).toArray()) {
        const auto rule = value.toObject();
        if (!rule.value("names"_L1).toArray().contains("ptrace"_L1))
            continue;
        const auto conditions = rule.value("args"_L1).toArray();
        QCOMPARE(rule.value("names"_L1).toArray().size(), 1);
        QCOMPARE(conditions.size(), 1);
        const auto condition = conditions.at(0).toObject();
        QCOMPARE(condition.value("index"_L1).toInt(-1), 0);
        QCOMPARE(condition.value("op"_L1).toString(), u"SCMP_CMP_EQ"_s);
        requests << condition.value("value"_L1).toInt(-1);
    }
    QCOMPARE(requests,
        (QList<int> { PTRACE_TRACEME, PTRACE_PEEKDATA, PTRACE_POKEDATA, PTRACE_CONT,
            PTRACE_SINGLESTEP, PTRACE_GETREGS, PTRACE_SETREGS, PTRACE_DETACH, PTRACE_SETOPTIONS,
            PTRACE_GETEVENTMSG }));
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
