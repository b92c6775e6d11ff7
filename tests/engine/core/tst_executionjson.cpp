// SPDX-License-Identifier: MIT
#include "engine/core/executionjson.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QRandomGenerator>
#include <QTest>
#include <QTimeZone>

using namespace Qt::StringLiterals;
using namespace isol8;
using std::chrono::microseconds;
using std::chrono::milliseconds;

class TestExecutionJson : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void hasTheKeysOfTheContract();
    void trimsAndDecodesOutput_data();
    void trimsAndDecodesOutput();
    void textIsTheSame_data();
    void textIsTheSame();
    void textIsTheSameForAnyBytes();
    void goesThereAndBack();
    void leavesOutWhatIsNotThere();
    void computesTheUseOfTheProcessor_data();
    void computesTheUseOfTheProcessor();
    void readsAnswersOfOlderServers();
    void refusesOthersByPath_data();
    void refusesOthersByPath();
    void events_data();
    void events();
    void refusesOtherEvents_data();
    void refusesOtherEvents();
};

namespace {

ExecutionResult fullResult()
{
    ExecutionResult result;
    result.standardOutput = "out";
    result.standardError = "err";
    result.exitCode = 139;
    result.signal = u"SIGSEGV"_s;
    result.ending = { EndReason::Signal, u"memoryLimit"_s, u"512m"_s };
    result.isTruncated = true;
    result.isTimedOut = true;
    result.isOutOfMemory = true;
    result.executionId = u"2b1e0f3c-9d2c-4a55-8d2e-000000000001"_s;
    result.runtime = Runtime::Deno;
    result.timestamp = QDateTime(QDate(2026, 2, 3), QTime(4, 5, 6, 789), QTimeZone::UTC);
    result.duration = milliseconds(1200);
    result.cpuTime = microseconds(600'125);
    result.peakMemoryBytes = 3LL << 20;
    result.containerId = u"abc"_s;
    result.imageDigest = u"sha256:00"_s;
    result.files = { { u"/sandbox/a"_s, QByteArray("\0\xff", 2) } };
    result.missingFiles = { u"b: not found"_s };
    result.phases = { microseconds(1), microseconds(2'500), milliseconds(3), {}, milliseconds(9) };
    result.violations = { { u"disk"_s, u"/sandbox is full"_s, u"--sandbox-size"_s } };
    const QDateTime moment(QDate(2026, 2, 3), QTime(4, 5, 7), QTimeZone::UTC);
    result.networkLogs = {
        { moment, u"CONNECT"_s, u"example.org"_s, std::nullopt, true, milliseconds(20), u"all"_s },
        { moment, u"GET"_s, u"evil.test"_s, u"/a?b"_s, false, microseconds(1'500), u"^evil"_s },
    };
    result.networkBytesIn = 5LL << 32;
    result.networkBytesOut = 7;
    return result;
}

} // namespace

void TestExecutionJson::hasTheKeysOfTheContract()
{
    const QJsonObject object = toJson(fullResult());
    const QJsonObject expected = QJsonDocument::fromJson(R"({
        "stdout": "out", "stderr": "err", "exitCode": 139, "durationMs": 1200, "truncated": true,
        "executionId": "2b1e0f3c-9d2c-4a55-8d2e-000000000001", "runtime": "deno",
        "timestamp": "2026-02-03T04:05:06.789Z", "containerId": "abc",
        "files": {"/sandbox/a": "AP8="}, "missingFiles": ["b: not found"],
        "resourceUsage": {"cpuPercent": 50.01, "memoryMB": 3, "peakMemoryMB": 3,
            "networkBytesIn": 21474836480, "networkBytesOut": 7},
        "networkLogs": [
            {"timestamp": "2026-02-03T04:05:07.000Z", "method": "CONNECT", "host": "example.org",
                "path": null, "action": "ALLOW", "durationMs": 20, "rule": "all"},
            {"timestamp": "2026-02-03T04:05:07.000Z", "method": "GET", "host": "evil.test",
                "path": "/a?b", "action": "BLOCK", "durationMs": 1.5, "rule": "^evil"}],
        "signal": "SIGSEGV",
        "ending": {"reason": "signal", "limit": "memoryLimit", "value": "512m"},
        "timedOut": true, "oomKilled": true, "cpuMs": 600.125,
        "phasesMs": {"queue": 0.001, "acquire": 2.5, "install": 3, "setup": 0, "run": 9},
        "imageDigest": "sha256:00",
        "violations": [{"kind": "disk", "detail": "/sandbox is full",
            "allowWith": "--sandbox-size"}]
    })")
                                     .object();
    QVERIFY(!expected.isEmpty());
    for (const QString& key : expected.keys())
        QCOMPARE(object[key], expected[key]);
    QCOMPARE(object.keys(), expected.keys());
}

void TestExecutionJson::trimsAndDecodesOutput_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<QString>("text");
    QTest::newRow("empty") << QByteArray() << u""_s;
    QTest::newRow("line break") << QByteArray("a\n") << u"a"_s;
    QTest::newRow("only the end") << QByteArray(" \n a b \r\n\t ") << u" \n a b"_s;
    QTest::newRow("nothing but space") << QByteArray(" \n ") << u""_s;
    QTest::newRow("bad byte") << QByteArray("a\xff"
                                            "b")
                              << u"a\ufffdb"_s;
    QTest::newRow("mark") << QByteArray("\ufeffx") << u"\ufeffx"_s;
    QTest::newRow("NUL") << QByteArray("a\0b", 3) << u"a\0b"_s;
}

void TestExecutionJson::trimsAndDecodesOutput()
{
    QFETCH(QByteArray, bytes);
    QFETCH(QString, text);
    ExecutionResult result;
    result.standardOutput = bytes;
    result.standardError = bytes;
    QCOMPARE(toJson(result)[u"stdout"].toString(), text);
    QCOMPARE(toJson(result)[u"stderr"].toString(), text);
}

namespace {

/// As long as what is converted at once, so that what follows straddles its end.
const QByteArray almostAPiece(64 * 1024 - 2, 'x');

ExecutionResult printing(const QByteArray& output)
{
    auto result = fullResult();
    result.standardOutput = output;
    result.standardError = output.first(output.size() / 2);
    result.files.insert(u"/sandbox/\"b\""_s, output);
    return result;
}

} // namespace

void TestExecutionJson::textIsTheSame_data()
{
    QTest::addColumn<QByteArray>("output");
    QByteArray all;
    for (int byte = 0; byte < 256; ++byte)
        all += char(byte);
    QTest::newRow("nothing") << QByteArray();
    QTest::newRow("every byte") << all;
    QTest::newRow("escapes") << "\"\\/\b\f\n\r\t\x1b[0m\x7f"_ba;
    QTest::newRow("white space of every kind")
        << u"x \u0085\u00a0\u1680\u2000\u2028\u2029\u202f\u205f\u3000\t\r\n\v\f "_s.toUtf8();
    QTest::newRow("white space alone") << u" \u3000\n"_s.toUtf8();
    QTest::newRow("no white space at the end") << u"x \u200b"_s.toUtf8();
    QTest::newRow("byte order marks") << u"\ufeffx\ufeff"_s.toUtf8();
    QTest::newRow("half a character at the end") << "x \xe2\x82"_ba;
    QTest::newRow("half a white space at the end") << "x \xe3\x80"_ba;
    QTest::newRow("ends without a beginning") << "x \x80\xa0\x85"_ba;
    const std::pair<const char*, QByteArray> straddling[] {
        { "two bytes", "\xc3\xa9" },
        { "three bytes", "\xe2\x82\xac" },
        { "four bytes", "\xf0\x9f\xa6\x8a" },
        { "a surrogate", "\xed\xa0\x80" },
        { "cut characters", "\xf0\x9f\xf0\xe2\x82\xc3\xf0\x9f\xa6" },
        { "many ends", QByteArray(9, '\x80') },
        { "escapes", "\n\n\n\n" },
    };
    for (const auto& [name, bytes] : straddling) {
        for (int before = 0; before < 4; ++before)
            QTest::addRow("%s, %d before the end of a piece", name, before)
                << almostAPiece.chopped(before) + bytes + almostAPiece + bytes + "x";
    }
}

void TestExecutionJson::textIsTheSame()
{
    QFETCH(QByteArray, output);
    const auto result = printing(output);
    const auto document = QJsonDocument::fromJson(toJsonText(result));
    QVERIFY(document.isObject());
    QVERIFY(document.object() == toJson(result));

    const StreamEvent event { StreamEvent::Type::Stdout, QString::fromUtf8(output), Phase::Setup,
        u"id"_s, 500 };
    QVERIFY(QJsonDocument::fromJson(toJsonText(event)).object() == toJson(event));
}

void TestExecutionJson::textIsTheSameForAnyBytes()
{
    // Mostly bytes that mean something in UTF-8 or in JSON; the same ones every time.
    QRandomGenerator random(4711);
    const QByteArray alphabet(
        "\x80\xbf\xc2\xc3\xa9\xe2\x82\xac\xf0\x9f\xa6\x8a\xed\xa0\xff \n\"\\xy");
    for (int i = 0; i < 300; ++i) {
        QByteArray output = i % 3 == 0 ? almostAPiece : QByteArray();
        for (int left = random.bounded(24); left > 0; --left)
            output += alphabet[random.bounded(alphabet.size())];
        const auto result = printing(output);
        QVERIFY2(QJsonDocument::fromJson(toJsonText(result)).object() == toJson(result),
            output.last(std::min<qsizetype>(24, output.size())).toHex());
    }
}

void TestExecutionJson::goesThereAndBack()
{
    ExecutionResult result = fullResult();
    const auto back = resultFromJson(toJson(result));
    QVERIFY2(back, qPrintable(back ? QString() : back.error().message));
    QVERIFY(*back == result);
}

void TestExecutionJson::leavesOutWhatIsNotThere()
{
    const QJsonObject object = toJson(ExecutionResult());
    for (const char* key : { "files", "missingFiles", "signal" })
        QVERIFY(!object.contains(QLatin1StringView(key)));
    QCOMPARE(object[u"ending"].toObject(), QJsonObject({ { u"reason"_s, u"exited"_s } }));
    ExecutionResult result;
    result.missingFiles = { u"a: not found"_s };
    QCOMPARE(toJson(result)[u"files"], QJsonValue(QJsonObject()));
}

void TestExecutionJson::computesTheUseOfTheProcessor_data()
{
    QTest::addColumn<qint64>("wall");
    QTest::addColumn<qint64>("cpu");
    QTest::addColumn<double>("percent");
    QTest::newRow("none") << 0LL << 0LL << 0.0;
    QTest::newRow("no time") << 0LL << 5LL << 0.0;
    QTest::newRow("half") << 1000LL << 500LL << 50.0;
    QTest::newRow("two cores") << 1000LL << 2000LL << 200.0;
    QTest::newRow("third") << 3000LL << 1000LL << 33.33;
}

void TestExecutionJson::computesTheUseOfTheProcessor()
{
    QFETCH(qint64, wall);
    QFETCH(qint64, cpu);
    QFETCH(double, percent);
    ExecutionResult result;
    result.duration = microseconds(wall);
    result.cpuTime = microseconds(cpu);
    QCOMPARE(toJson(result)[u"resourceUsage"][u"cpuPercent"].toDouble(), percent);
}

void TestExecutionJson::readsAnswersOfOlderServers()
{
    const auto result = resultFromJson(QJsonDocument::fromJson(R"({"stdout": "hi", "stderr": "",
        "exitCode": 3, "durationMs": 12.5, "truncated": false, "executionId": "x",
        "runtime": "python", "timestamp": "2026-01-01T00:00:00.000Z", "networkLogs": null,
        "somethingNew": [1]})")
            .object());
    QVERIFY(result);
    QCOMPARE(result->standardOutput, QByteArray("hi"));
    QCOMPARE(result->exitCode, 3);
    QCOMPARE(result->duration, microseconds(12'500));
    QVERIFY(result->ending == Ending());
}

void TestExecutionJson::refusesOthersByPath_data()
{
    QTest::addColumn<QByteArray>("change");
    QTest::addColumn<QString>("said");
    const auto row = [](const char* change, const char* said) {
        QTest::newRow(change) << QByteArray(change) << QString::fromLatin1(said);
    };
    row(R"({"exitCode": null})", "exitCode is missing");
    row(R"({"exitCode": "0"})", "exitCode: invalid value \"0\"");
    row(R"({"exitCode": 1000})", "exitCode");
    row(R"({"exitCode": 0.5})", "exitCode");
    row(R"({"stdout": 5})", "stdout: invalid value 5: allowed are texts");
    row(R"({"stderr": {}})", "stderr: invalid value an object");
    row(R"({"truncated": "yes"})", "truncated");
    row(R"({"durationMs": -1})", "durationMs");
    row(R"({"durationMs": 1e300})", "durationMs");
    row(R"({"runtime": "ruby"})", "runtime");
    row(R"({"ending": 5})", "ending");
    row(R"({"ending": {"reason": "bored"}})", "ending.reason: invalid value \"bored\"");
    row(R"({"resourceUsage": {"peakMemoryMB": -1}})", "resourceUsage.peakMemoryMB");
    row(R"({"resourceUsage": {"peakMemoryMB": 1e300}})", "resourceUsage.peakMemoryMB");
    row(R"({"phasesMs": {"run": "long"}})", "phasesMs.run");
    row(R"({"files": {"a": 5}})", "files.a");
    row(R"({"files": {"a": "?"}})", "files");
    row(R"({"violations": {}})", "violations");
    row(R"({"violations": [{"kind": 5}]})", "violations.kind");
    row(R"({"networkLogs": {}})", "networkLogs");
    row(R"({"networkLogs": [{"action": "MAYBE"}]})", "networkLogs.action");
    row(R"({"resourceUsage": {"networkBytesIn": -1}})", "resourceUsage.networkBytesIn");
}

void TestExecutionJson::refusesOthersByPath()
{
    QFETCH(QByteArray, change);
    QFETCH(QString, said);
    QJsonObject object = toJson(fullResult());
    const QJsonObject changes = QJsonDocument::fromJson(change).object();
    QCOMPARE(changes.size(), 1);
    object.insert(changes.begin().key(), changes.begin().value());
    const auto result = resultFromJson(object);
    QVERIFY(!result);
    QCOMPARE(result.error().kind, Kind::Protocol);
    QVERIFY2(result.error().message.startsWith(said), qPrintable(result.error().message));
}

void TestExecutionJson::events_data()
{
    QTest::addColumn<QByteArray>("json");
    QTest::addColumn<StreamEvent>("event");
    using enum StreamEvent::Type;
    QTest::newRow("stdout") << QByteArray(R"({"data":"a\n","phase":"code","type":"stdout"})")
                            << StreamEvent { Stdout, u"a\n"_s, Phase::Code };
    QTest::newRow("stderr") << QByteArray(R"({"data":"","phase":"setup","type":"stderr"})")
                            << StreamEvent { Stderr, u""_s, Phase::Setup };
    QTest::newRow("exit") << QByteArray(R"({"data":"137","type":"exit"})")
                          << StreamEvent { Exit, u"137"_s, {} };
    QTest::newRow("error") << QByteArray(R"({"data":"EXECUTION TIMED OUT","type":"error"})")
                           << StreamEvent { Error, u"EXECUTION TIMED OUT"_s, {} };
    QTest::newRow("failure") << QByteArray(R"({"data":"no image","status":404,"type":"error"})")
                             << StreamEvent { Error, u"no image"_s, {}, {}, 404 };
}

void TestExecutionJson::events()
{
    QFETCH(QByteArray, json);
    QFETCH(StreamEvent, event);
    QCOMPARE(QJsonDocument(toJson(event)).toJson(QJsonDocument::Compact), json);
    QCOMPARE(toJsonText(event), json);
    QVERIFY(streamEventFromJson(QJsonDocument::fromJson(json).object()) == event);
    event.phase = Phase::Install;
    QCOMPARE(toJson(event)[u"phase"].toString(), u"setup"_s);
}

void TestExecutionJson::refusesOtherEvents_data()
{
    QTest::addColumn<QByteArray>("json");
    for (const char* json : { "{}", R"({"type":"stdout"})", R"({"data":"x"})",
             R"({"type":"bell","data":"x"})", R"({"type":5,"data":"x"})",
             R"({"type":"stdout","data":5})", R"({"type":"stdout","data":"","phase":"later"})",
             R"({"type":"error","data":"","status":"404"})",
             R"({"type":"error","data":"","status":1})" })
        QTest::newRow(json) << QByteArray(json);
}

void TestExecutionJson::refusesOtherEvents()
{
    QFETCH(QByteArray, json);
    const auto event = streamEventFromJson(QJsonDocument::fromJson(json).object());
    QCOMPARE(event.error_or(isol8::Error {}).kind, Kind::Protocol);
}

QTEST_GUILESS_MAIN(TestExecutionJson)
#include "tst_executionjson.moc"
