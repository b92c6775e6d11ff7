// SPDX-License-Identifier: MIT
#include "tests/support/enginefixture.h"

#include "engine/docker/client.h"

#include <QJsonArray>
#include <QTest>

using namespace isol8;
using namespace isol8::tests;
using namespace Qt::StringLiterals;

/// Tries to break out of real sandboxes. The scripts are in tests/data/escape: each prints "ok
/// NAME" or "BAD NAME: why" for every attempt and for every innocent twin.
class TestBreakout : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { m_fixture = std::make_unique<EngineFixture>(); }
    void cleanupTestCase()
    {
        QVERIFY(m_fixture->isNothingLeft());
        m_fixture.reset();
    }
    void scripts_data();
    void scripts();
    void setupScriptHasNoMoreRights();
    void hostConfigIsAsThePolicySays();
    void hostVariablesStayOutside();
    void writableRootIsStillNotRoots();

private:
    [[nodiscard]] static QByteArray script(const QString& name)
    {
        return testData(u"escape/prelude.py"_s) + testData(u"escape/%1.py"_s.arg(name));
    }
    std::unique_ptr<EngineFixture> m_fixture;
};

void TestBreakout::scripts_data()
{
    QTest::addColumn<int>("attempts");
    QTest::newRow("identity") << 18;
    QTest::newRow("syscalls") << 68;
    QTest::newRow("innocent") << 27;
    QTest::newRow("files") << 65;
    QTest::newRow("guest") << 42;
    QTest::newRow("network") << 8;
}

void TestBreakout::scripts()
{
    QFETCH(int, attempts);
    const auto result
        = m_fixture->run(Runtime::Python, script(QString::fromLatin1(QTest::currentDataTag())));
    QVERIFY2(result, result ? "" : qPrintable(result.error().message));
    QVERIFY2(result->exitCode == 0, result->standardError.constData());
    QByteArray bad;
    int ok = 0;
    for (const auto& line : result->standardOutput.split('\n')) {
        if (line.startsWith("BAD "))
            bad += line + '\n';
        ok += line.startsWith("ok ");
    }
    QVERIFY2(bad.isEmpty(), bad.constData());
    QVERIFY2(ok >= attempts, qPrintable(u"only %1 attempts were made"_s.arg(ok)));
}

void TestBreakout::setupScriptHasNoMoreRights()
{
    auto request = requestOf(Runtime::Bash, "true");
    request.setupScript = u"grep -E '^(Cap|NoNewPrivs|Seccomp:|Uid|Gid)' /proc/self/status"_s;
    const auto result = m_fixture->run(request);
    QVERIFY(result);
    const auto lines = result->standardOutput.simplified();
    QVERIFY2(lines.contains("CapBnd: 0000000000000000"), lines.constData());
    QVERIFY2(lines.contains("CapEff: 0000000000000000"), lines.constData());
    QVERIFY2(lines.contains("NoNewPrivs: 1 Seccomp: 2"), lines.constData());
    QVERIFY2(lines.contains("Uid: 100 100 100 100 Gid: 101 101 101 101"), lines.constData());
}

void TestBreakout::hostConfigIsAsThePolicySays()
{
    auto request = requestOf(Runtime::Bash, "echo ready; read line");
    request.isStdinLive = true;
    const auto run = m_fixture->start(request);
    QVERIFY(run->waitForOutput("ready"));
    const auto raw = QCoro::waitFor(m_fixture->client().inspectContainerRaw(run->containerId));
    QVERIFY(raw);
    const auto host = raw->value("HostConfig"_L1).toObject();
    const auto config = raw->value("Config"_L1).toObject();

    QCOMPARE(host.value("CapDrop"_L1).toArray(), QJsonArray { u"ALL"_s });
    for (const auto& capability : host.value("CapAdd"_L1).toArray()) {
        auto name = capability.toString();
        name.remove(u"CAP_"_s);
        QVERIFY2((QStringList { u"SETUID"_s, u"SETGID"_s, u"SETPCAP"_s, u"KILL"_s }).contains(name),
            qPrintable(name));
    }
    QCOMPARE(host.value("Privileged"_L1).toBool(), false);
    QVERIFY(host.value("Binds"_L1).toArray().isEmpty());
    QVERIFY(host.value("Devices"_L1).toArray().isEmpty());
    QCOMPARE(host.value("ReadonlyRootfs"_L1).toBool(), true);
    QCOMPARE(host.value("NetworkMode"_L1).toString(), u"none"_s);
    QCOMPARE(host.value("Memory"_L1).toInteger(), 512LL << 20);
    QCOMPARE(host.value("MemorySwap"_L1).toInteger(), 512LL << 20);
    QCOMPARE(host.value("NanoCpus"_L1).toInteger(), 1'000'000'000LL);
    QCOMPARE(host.value("PidsLimit"_L1).toInteger(), 66LL);
    QCOMPARE(host.value("LogConfig"_L1).toObject().value("Type"_L1).toString(), u"none"_s);
    QCOMPARE(host.value("IpcMode"_L1).toString(), u"private"_s);
    for (const auto* mode : { "PidMode", "UTSMode", "UsernsMode" })
        QVERIFY2(host.value(QLatin1StringView(mode)).toString() != "host"_L1, mode);
    QVERIFY(!host.value("MaskedPaths"_L1).toArray().isEmpty());
    QVERIFY(!host.value("ReadonlyPaths"_L1).toArray().isEmpty());
    QStringList security;
    for (const auto& option : host.value("SecurityOpt"_L1).toArray())
        security << option.toString().section(u'=', 0, 0);
    QCOMPARE(security, (QStringList { u"no-new-privileges"_s, u"seccomp"_s }));

    const auto mounts = raw->value("Mounts"_L1).toArray();
    QCOMPARE(mounts.size(), 1);
    QCOMPARE(mounts.at(0).toObject().value("Destination"_L1).toString(), u"/.isol8"_s);
    QCOMPARE(mounts.at(0).toObject().value("RW"_L1).toBool(), false);
    QCOMPARE(config.value("Healthcheck"_L1).toObject().value("Test"_L1).toArray(),
        QJsonArray { u"NONE"_s });
    QCOMPARE(config.value("Tty"_L1).toBool(), false);

    run->run().closeStdin();
    QVERIFY(run->result());
}

void TestBreakout::hostVariablesStayOutside()
{
    qputenv("ISOL8_CANARY", "canary-5b1f");
    const auto result = m_fixture->run(Runtime::Bash, "env; tr '\\0' '\\n' </proc/self/environ");
    qunsetenv("ISOL8_CANARY");
    QVERIFY(result);
    QVERIFY(result->standardOutput.contains("HOME=/sandbox"));
    QVERIFY(!result->standardOutput.contains("canary-5b1f"));
}

void TestBreakout::writableRootIsStillNotRoots()
{
    ExecutionOptions options;
    options.isRootReadOnly = false;
    const auto result = m_fixture->run(Runtime::Bash,
        "echo x >/etc/passwd || echo refused; echo x >/usr/bin/x || echo refused; id -u", options);
    QVERIFY(result);
    QCOMPARE(result->standardOutput, "refused\nrefused\n100\n"_ba);
}

QTEST_GUILESS_MAIN(TestBreakout)
#include "tst_breakout.moc"
