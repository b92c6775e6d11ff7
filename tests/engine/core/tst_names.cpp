// SPDX-License-Identifier: MIT
#include "engine/core/names.h"

#include <QTest>

#include <csignal>

using namespace Qt::StringLiterals;
using namespace isol8;

class TestNames : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void runtimesGoThereAndBack();
    void everyReasonHasItsText();
    void otherNamesGoThereAndBack();
    void refusesOtherSpellings_data();
    void refusesOtherSpellings();
    void detectsRuntimes_data();
    void detectsRuntimes();
    void signalsAreThoseOfThisLinux();
    void realTimeAndUnknownSignals();
    void sessionIds_data();
    void sessionIds();
    void environmentNames_data();
    void environmentNames();
};

void TestNames::runtimesGoThereAndBack()
{
    const QStringList names { u"python"_s, u"node"_s, u"bun"_s, u"deno"_s, u"bash"_s, u"agent"_s };
    QCOMPARE(runtimeNames(), names);
    QCOMPARE(allRuntimes().size(), names.size());
    for (const Runtime runtime : allRuntimes())
        QCOMPARE(runtimeFromName(runtimeName(runtime)), runtime);
}

void TestNames::everyReasonHasItsText()
{
    const QStringList names
        = u"exited signal timeout oom pids disk output-limit cancelled setup-failed install-failed engine-lost"_s
              .split(u' ');
    for (int at = 0; at < names.size(); ++at) {
        const auto reason = EndReason(at);
        QCOMPARE(reasonName(reason), names[at]);
        QCOMPARE(reasonFromName(names[at]), reason);
    }
    QCOMPARE(names.size(), int(EndReason::EngineLost) + 1);
}

void TestNames::otherNamesGoThereAndBack()
{
    for (const auto mode : { NetworkMode::None, NetworkMode::Host, NetworkMode::Filtered })
        QCOMPARE(networkModeFromName(networkModeName(mode)), mode);
    for (const auto mode : { Mode::Ephemeral, Mode::Persistent })
        QCOMPARE(modeFromName(modeName(mode)), mode);
    for (const auto mode : { SeccompMode::Strict, SeccompMode::Unconfined, SeccompMode::Custom })
        QCOMPARE(seccompFromName(seccompName(mode)), mode);
    for (const auto phase : { Phase::Install, Phase::Setup, Phase::Code })
        QCOMPARE(phaseFromName(phaseName(phase)), phase);
    QCOMPARE(channelName(Channel::Stdout), u"stdout"_s);
    QCOMPARE(channelFromName(u"stderr"), Channel::Stderr);
}

void TestNames::refusesOtherSpellings_data()
{
    QTest::addColumn<QString>("name");
    for (const char* name : { "", "Python", " python", "python ", "python3", "PYTHON", "pythön" })
        QTest::newRow(name) << QString::fromUtf8(name);
}

void TestNames::refusesOtherSpellings()
{
    QFETCH(QString, name);
    QVERIFY(!runtimeFromName(name));
    QVERIFY(!networkModeFromName(name));
    QVERIFY(!reasonFromName(name));
    QVERIFY(!signalNumber(name));
}

void TestNames::detectsRuntimes_data()
{
    QTest::addColumn<QString>("extension");
    QTest::addColumn<QString>("name");
    QTest::newRow("python") << u".py"_s << u"python"_s;
    QTest::newRow("js") << u".js"_s << u"node"_s;
    QTest::newRow("mjs") << u".mjs"_s << u"node"_s;
    QTest::newRow("cjs") << u".cjs"_s << u"node"_s;
    QTest::newRow("ts") << u".ts"_s << u"bun"_s;
    QTest::newRow("mts") << u".mts"_s << u"deno"_s;
    QTest::newRow("sh") << u".sh"_s << u"bash"_s;
    QTest::newRow("no dot") << u"py"_s << QString();
    QTest::newRow("unknown") << u".rb"_s << QString();
    QTest::newRow("empty") << QString() << QString();
}

void TestNames::detectsRuntimes()
{
    QFETCH(QString, extension);
    QFETCH(QString, name);
    const auto runtime = runtimeForExtension(extension);
    QCOMPARE(runtime.has_value(), !name.isEmpty());
    if (runtime) {
        QCOMPARE(runtimeName(*runtime), name);
        QVERIFY(extensionsOf(*runtime).contains(extension));
    }
    QVERIFY(extensionsOf(Runtime::Agent).isEmpty());
}

void TestNames::signalsAreThoseOfThisLinux()
{
    QCOMPARE(signalName(SIGSEGV), u"SIGSEGV"_s);
    QCOMPARE(signalName(SIGKILL), u"SIGKILL"_s);
    QCOMPARE(signalName(SIGSYS), u"SIGSYS"_s);
    QCOMPARE(signalName(SIGUSR1), u"SIGUSR1"_s);
    for (int number = 1; number <= 31; ++number)
        QCOMPARE(signalNumber(signalName(number)), number);
}

void TestNames::realTimeAndUnknownSignals()
{
    QCOMPARE(signalName(34), u"SIGRTMIN"_s);
    QCOMPARE(signalName(37), u"SIGRTMIN+3"_s);
    QCOMPARE(signalNumber(u"SIGRTMIN+3"), 37);
    QCOMPARE(signalName(99), u"signal 99"_s);
    QCOMPARE(signalName(0), u"signal 0"_s);
    QVERIFY(!signalNumber(u"signal 99"));
    QVERIFY(!signalNumber(u"9"));
    QVERIFY(!signalNumber(u"SIGRTMIN+99"));
}

void TestNames::sessionIds_data()
{
    QTest::addColumn<QString>("id");
    QTest::addColumn<bool>("isGood");
    QTest::newRow("usual") << u"my-session_1.x"_s << true;
    QTest::newRow("longest") << QString(128, u'a') << true;
    QTest::newRow("too long") << QString(129, u'a') << false;
    QTest::newRow("empty") << QString() << false;
    QTest::newRow("dot") << u"."_s << false;
    QTest::newRow("dots") << u".."_s << false;
    QTest::newRow("slash") << u"a/b"_s << false;
    QTest::newRow("space") << u"a b"_s << false;
    QTest::newRow("newline") << u"a\n"_s << false;
    QTest::newRow("other digits") << u"a٥"_s << false;
    QTest::newRow("escape") << u"a\x1b[31m"_s << false;
}

void TestNames::sessionIds()
{
    QFETCH(QString, id);
    QFETCH(bool, isGood);
    const auto checked = checkSessionId(id);
    QCOMPARE(checked.has_value(), isGood);
    if (!checked) {
        QCOMPARE(checked.error().kind, Kind::Invalid);
        QVERIFY(!checked.error().message.contains(u'\x1b'));
    }
}

void TestNames::environmentNames_data()
{
    QTest::addColumn<QString>("name");
    QTest::addColumn<bool>("isGood");
    QTest::newRow("usual") << u"API_KEY"_s << true;
    QTest::newRow("odd but possible") << u"npm_config_//x/:y"_s << true;
    QTest::newRow("empty") << QString() << false;
    QTest::newRow("equals") << u"A=B"_s << false;
    QTest::newRow("nul") << QString(u"A") + QChar(u'\0') << false;
    QTest::newRow("newline") << u"A\nB"_s << false;
    QTest::newRow("return") << u"A\rB"_s << false;
    QTest::newRow("too long") << QString(256, u'A') << false;
}

void TestNames::environmentNames()
{
    QFETCH(QString, name);
    QFETCH(bool, isGood);
    const auto checked = checkEnvironmentName(name, u"--env"_s);
    QCOMPARE(checked.has_value(), isGood);
    if (!checked)
        QVERIFY(checked.error().message.startsWith(u"--env: "));
}

QTEST_GUILESS_MAIN(TestNames)
#include "tst_names.moc"
