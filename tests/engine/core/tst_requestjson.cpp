// SPDX-License-Identifier: MIT
#include "engine/core/requestjson.h"

#include "engine/core/units.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QTest>

using namespace Qt::StringLiterals;
using namespace isol8;

class TestRequestJson : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void readsARequest();
    void readsOptions();
    void nullIsMissing();
    void optionsKeepTheirDefaults();
    void choosesTheRuntime_data();
    void choosesTheRuntime();
    void emptyCodeIsCode();
    void readsFiles_data();
    void readsFiles();
    void refusesRequestsByPath_data();
    void refusesRequestsByPath();
    void refusesOptionsByPath_data();
    void refusesOptionsByPath();
    void neverShowsASecret();
    void requestsGoThereAndBack();
    void optionsGoThereAndBack();
};

namespace {

QJsonObject parsed(const QByteArray& text)
{
    return QJsonDocument::fromJson(text).object();
}

QString refusal(const auto& result)
{
    return result ? u"accepted"_s : result.error().message;
}

} // namespace

void TestRequestJson::readsARequest()
{
    const auto request = requestFromJson(parsed(R"({"code": "x = 'ä'", "runtime": "python",
        "timeoutMs": 5000, "env": {"A": "1"}, "fileExtension": "py", "stdin": "in",
        "files": {"a.txt": "hello"}, "outputPaths": ["o"], "installPackages": ["numpy"],
        "metadata": {"userId": "u", "n": 1}, "setupScript": "true", "workdir": "/sandbox/w",
        "agentFlags": "-v", "codeHash": "00", "allowInsecureCodeUrl": true, "args": ["x", "y"],
        "tty": true, "unknown": {}})"));
    QVERIFY2(request, qPrintable(refusal(request)));
    QCOMPARE(request->code, QByteArray("x = 'ä'"));
    QCOMPARE(request->runtime, Runtime::Python);
    QCOMPARE(request->timeout, std::chrono::seconds(5));
    QCOMPARE(request->environment, (QMap<QString, QString> { { u"A"_s, u"1"_s } }));
    QCOMPARE(request->fileExtension, u".py"_s);
    QCOMPARE(request->stdinData, QByteArray("in"));
    QCOMPARE(request->files, (QMap<QString, QByteArray> { { u"a.txt"_s, "hello" } }));
    QCOMPARE(request->outputPaths, QStringList { u"o"_s });
    QCOMPARE(request->installPackages, QStringList { u"numpy"_s });
    QCOMPARE(request->metadata[u"userId"].toString(), u"u"_s);
    QCOMPARE(request->setupScript, u"true"_s);
    QCOMPARE(request->workingDirectory, u"/sandbox/w"_s);
    QCOMPARE(request->agentFlags, u"-v"_s);
    QCOMPARE(request->codeHash, u"00"_s);
    QVERIFY(request->allowInsecureCodeUrl);
    QCOMPARE(request->arguments, QStringList({ u"x"_s, u"y"_s }));
    QVERIFY(request->hasTerminal);
}

void TestRequestJson::readsOptions()
{
    const auto options = optionsFromJson(parsed(R"({"mode": "persistent", "network": "filtered",
        "networkFilter": {"whitelist": ["a"], "blacklist": ["b"]}, "cpuLimit": 0.5,
        "memoryLimit": "1g", "pidsLimit": 100, "readonlyRootFs": false, "maxOutputSize": 2048,
        "secrets": {"K": "v"}, "timeoutMs": 1000, "image": "img", "sandboxSize": "1GiB",
        "tmpSize": "64m", "debug": true, "persist": true, "logNetwork": true,
        "security": {"seccomp": "custom", "customProfilePath": "/p"}, "audit": {}, "remoteCode": {},
        "poolStrategy": "whatever", "poolSize": "ignored"})"));
    QVERIFY2(options, qPrintable(refusal(options)));
    QCOMPARE(options->mode, Mode::Persistent);
    QCOMPARE(options->network, NetworkMode::Filtered);
    QCOMPARE(options->networkFilter.allow, QStringList { u"a"_s });
    QCOMPARE(options->networkFilter.deny, QStringList { u"b"_s });
    QCOMPARE(options->cpuLimit, 0.5);
    QCOMPARE(options->memoryLimitBytes, 1 << 30);
    QCOMPARE(options->pidsLimit, 100);
    QVERIFY(!options->isRootReadOnly);
    QCOMPARE(options->maxOutputBytes, 2048);
    QCOMPARE(options->secrets, (QMap<QString, QString> { { u"K"_s, u"v"_s } }));
    QCOMPARE(options->timeout, std::chrono::seconds(1));
    QCOMPARE(options->image, u"img"_s);
    QCOMPARE(options->sandboxSizeBytes, 1 << 30);
    QCOMPARE(options->tmpSizeBytes, 64 << 20);
    QVERIFY(options->isKept);
    QVERIFY(options->isNetworkLogged);
    QCOMPARE(options->seccomp, SeccompMode::Custom);
    QCOMPARE(options->seccompProfilePath, u"/p"_s);
}

void TestRequestJson::nullIsMissing()
{
    const auto request = requestFromJson(
        parsed(R"({"code": "x", "cmd": null, "stdin": null, "timeoutMs": null, "files": null})"));
    QVERIFY2(request, qPrintable(refusal(request)));
    QVERIFY(!request->stdinData);
    QVERIFY(!request->timeout);
    QVERIFY(requestFromJson({})->code.isNull());
}

void TestRequestJson::optionsKeepTheirDefaults()
{
    ExecutionOptions defaults;
    defaults.memoryLimitBytes = 64 << 20;
    defaults.networkFilter.allow = { u"x"_s };
    defaults.networkFilter.deny = { u"y"_s };
    const auto options = optionsFromJson(
        parsed(R"({"pidsLimit": 9, "networkFilter": {"whitelist": []}})"), defaults);
    QCOMPARE(options->memoryLimitBytes, 64 << 20);
    QCOMPARE(options->networkFilter.allow, QStringList());
    QCOMPARE(options->networkFilter.deny, QStringList { u"y"_s });
    QCOMPARE(options->pidsLimit, 9);
}

void TestRequestJson::choosesTheRuntime_data()
{
    QTest::addColumn<QByteArray>("json");
    QTest::addColumn<Runtime>("runtime");
    const auto row = [](const char* json, Runtime runtime) {
        QTest::newRow(json) << QByteArray(json) << runtime;
    };
    row(R"({"code": "x"})", Runtime::Python);
    row(R"({"cmd": "ls"})", Runtime::Bash);
    row(R"({"cmd": "ls", "runtime": "node"})", Runtime::Node);
    row(R"({"code": "x", "fileExtension": ".ts"})", Runtime::Bun);
    row(R"({"codeUrl": "https://a/b.mts?x=.py"})", Runtime::Deno);
    row(R"({"codeUrl": "https://a/b"})", Runtime::Python);
    row(R"({"codeUrl": "https://a/b.sh", "runtime": "agent"})", Runtime::Agent);
}

void TestRequestJson::choosesTheRuntime()
{
    QFETCH(QByteArray, json);
    QFETCH(Runtime, runtime);
    const auto request = requestFromJson(parsed(json));
    QVERIFY2(request, qPrintable(refusal(request)));
    QCOMPARE(request->runtime, runtime);
}

void TestRequestJson::emptyCodeIsCode()
{
    const auto request = requestFromJson(parsed(R"({"code": ""})"));
    QVERIFY(!request->code.isNull());
    QVERIFY(request->code.isEmpty());
    QVERIFY(!requestFromJson(toJson(*request))->code.isNull());
}

void TestRequestJson::readsFiles_data()
{
    QTest::addColumn<QByteArray>("json");
    QTest::addColumn<QByteArray>("content");
    QTest::addColumn<bool>("isGood");
    const auto row = [](const char* json, const QByteArray& content, bool isGood) {
        QTest::newRow(json) << QByteArray(json) << content << isGood;
    };
    row(R"("tëxt")", "tëxt", true);
    row(R"("")", "", true);
    row(R"({"base64": "AP8="})", QByteArray("\0\xff", 2), true);
    row(R"({"base64": ""})", "", true);
    row(R"({"type": "Buffer", "data": [0, 255]})", QByteArray("\0\xff", 2), true);
    row(R"({"type": "Buffer", "data": []})", "", true);
    row(R"({"base64": "A?"})", {}, false);
    row(R"({"type": "Buffer", "data": [256]})", {}, false);
    row(R"({"type": "Buffer", "data": [-1]})", {}, false);
    row(R"({"type": "Buffer", "data": [0.5]})", {}, false);
    row(R"({"type": "Buffer", "data": ["1"]})", {}, false);
    row(R"({"type": "Other", "data": []})", {}, false);
    row(R"({})", {}, false);
    row(R"([])", {}, false);
    row(R"(5)", {}, false);
    row(R"(null)", {}, false);
}

void TestRequestJson::readsFiles()
{
    QFETCH(QByteArray, json);
    QFETCH(QByteArray, content);
    QFETCH(bool, isGood);
    const auto request
        = requestFromJson(parsed(R"({"code": "x", "files": {"a/b.c": )" + json + "}}"));
    if (isGood) {
        QVERIFY2(request, qPrintable(refusal(request)));
        QCOMPARE(request->files.value(u"a/b.c"_s), content);
    } else {
        QVERIFY(refusal(request).startsWith(u"request.files.a/b.c: invalid value"));
    }
}

void TestRequestJson::refusesRequestsByPath_data()
{
    QTest::addColumn<QByteArray>("json");
    QTest::addColumn<QString>("said");
    const auto row = [](const char* json, const char* said) {
        QTest::newRow(json) << QByteArray(json) << QString::fromLatin1(said);
    };
    for (const char* key : { "code", "cmd", "codeUrl", "runtime", "fileExtension", "stdin",
             "setupScript", "workdir", "agentFlags", "codeHash" }) {
        const QByteArray json = "{\"" + QByteArray(key) + "\": 5}";
        QTest::newRow(json) << json
                            << u"request.%1: invalid value 5: allowed are texts"_s.arg(
                                   QLatin1StringView(key));
    }
    for (const char* key : { "outputPaths", "installPackages", "args" }) {
        for (const char* value : { "5", "\"x\"", "[1]", "[null]", "{}" }) {
            const QByteArray json = "{\"" + QByteArray(key) + "\": " + value + "}";
            QTest::newRow(json) << json
                                << u"request.%1: invalid value"_s.arg(QLatin1StringView(key));
        }
    }
    row(R"({"runtime": "ruby"})",
        "request.runtime: invalid value \"ruby\": allowed are python, node");
    row(R"({"runtime": "Python"})", "request.runtime");
    row(R"({"timeoutMs": "5s"})", "request.timeoutMs");
    row(R"({"timeoutMs": 0})", "request.timeoutMs");
    row(R"({"timeoutMs": -1})", "request.timeoutMs");
    row(R"({"timeoutMs": 1.5})", "request.timeoutMs");
    row(R"({"timeoutMs": 9223372036854775808})", "request.timeoutMs");
    row(R"({"timeoutMs": true})", "request.timeoutMs");
    row(R"({"env": []})", "request.env");
    row(R"({"env": {"A": 1}})", "request.env.A is not a text");
    row(R"({"env": {"A": null}})", "request.env.A");
    row(R"({"files": []})", "request.files");
    row(R"({"metadata": "x"})", "request.metadata");
    row(R"({"tty": 1})", "request.tty");
    row(R"({"allowInsecureCodeUrl": "true"})", "request.allowInsecureCodeUrl");
}

void TestRequestJson::refusesRequestsByPath()
{
    QFETCH(QByteArray, json);
    QFETCH(QString, said);
    const auto request = requestFromJson(parsed(json));
    QVERIFY2(refusal(request).startsWith(said), qPrintable(refusal(request)));
    QCOMPARE(request.error().kind, Kind::Invalid);
}

void TestRequestJson::refusesOptionsByPath_data()
{
    QTest::addColumn<QByteArray>("json");
    QTest::addColumn<QString>("said");
    const auto row = [](const char* json, const char* said) {
        QTest::newRow(json) << QByteArray(json) << QString::fromLatin1(said);
    };
    for (const char* size : { "64m,exec,suid,dev", "1m,mode=777,uid=0", "50%", "64m\\n", "-1", "0",
             "", "lots", "999999999999g" }) {
        for (const char* key : { "tmpSize", "sandboxSize", "memoryLimit", "maxOutputSize" }) {
            const QByteArray json = "{\"" + QByteArray(key) + "\": \"" + QByteArray(size) + "\"}";
            QTest::newRow(json) << json
                                << u"options.%1: invalid value"_s.arg(QLatin1StringView(key));
        }
    }
    row(R"({"tmpSize": -1})", "options.tmpSize");
    row(R"({"tmpSize": 0})", "options.tmpSize");
    row(R"({"tmpSize": 1e300})", "options.tmpSize");
    row(R"({"tmpSize": []})", "options.tmpSize");
    row(R"({"mode": "x"})",
        "options.mode: invalid value \"x\": allowed are ephemeral and persistent");
    row(R"({"network": "bridge"})", "options.network");
    row(R"({"network": 1})", "options.network");
    row(R"({"networkFilter": []})", "options.networkFilter");
    row(R"({"networkFilter": {"whitelist": "a"}})", "options.networkFilter.whitelist");
    row(R"({"networkFilter": {"blacklist": [1]}})", "options.networkFilter.blacklist");
    row(R"({"cpuLimit": "1"})", "options.cpuLimit");
    row(R"({"pidsLimit": 0})", "options.pidsLimit");
    row(R"({"pidsLimit": -1})", "options.pidsLimit");
    row(R"({"pidsLimit": 2147483648})", "options.pidsLimit");
    row(R"({"readonlyRootFs": "false"})", "options.readonlyRootFs");
    row(R"({"secrets": "x"})", "options.secrets");
    row(R"({"security": {"seccomp": "off"}})", "options.security.seccomp");
    row(R"({"security": "unconfined"})", "options.security");
    row(R"({"audit": 5})", "options.audit");
    row(R"({"remoteCode": true})", "options.remoteCode");
    row(R"({"persist": 1})", "options.persist");
    row(R"({"debug": 1})", "options.debug");
}

void TestRequestJson::refusesOptionsByPath()
{
    QFETCH(QByteArray, json);
    QFETCH(QString, said);
    const auto options = optionsFromJson(parsed(json));
    QVERIFY2(refusal(options).startsWith(said), qPrintable(refusal(options)));
    QCOMPARE(options.error().kind, Kind::Invalid);
}

void TestRequestJson::neverShowsASecret()
{
    const auto options = optionsFromJson(
        parsed(R"({"secrets": {"A": {"value": "hunter22"}, "B": ["hunter22"]}})"));
    QVERIFY(!options);
    QVERIFY(!options.error().message.contains(u"hunter22"));
}

void TestRequestJson::requestsGoThereAndBack()
{
    ExecutionRequest request;
    request.command = u"ls"_s;
    request.runtime = Runtime::Bun;
    request.codeHash = u"00"_s;
    request.fileExtension = u".cjs"_s;
    request.arguments = { u"-x"_s };
    request.environment = { { u"A"_s, u"ä"_s } };
    request.stdinData = "";
    request.files = { { u"a"_s, QByteArray("\0\xff", 2) } };
    request.outputPaths = { u"o"_s };
    request.installPackages = { u"p"_s };
    request.setupScript = u"s"_s;
    request.workingDirectory = u"/sandbox/w"_s;
    request.agentFlags = u"f"_s;
    request.timeout = std::chrono::seconds(3);
    request.hasTerminal = true;
    request.allowInsecureCodeUrl = true;
    request.metadata = { { u"m"_s, 1 } };
    const auto back = requestFromJson(toJson(request));
    QVERIFY2(back, qPrintable(refusal(back)));
    QCOMPARE(toJson(*back), toJson(request));
    QCOMPARE(back->files, request.files);
    QVERIFY(back->stdinData.has_value());
    QCOMPARE(back->runtime, Runtime::Bun);
    QCOMPARE(toJson(ExecutionRequest()).keys(), QStringList({ u"runtime"_s, u"workdir"_s }));

    // Nowhere is refused: a server may not take it for the usual place.
    request.workingDirectory.clear();
    const auto nowhere = requestFromJson(toJson(request));
    QVERIFY(nowhere);
    QCOMPARE(nowhere->workingDirectory, QString());
}

void TestRequestJson::optionsGoThereAndBack()
{
    ExecutionOptions options;
    options.mode = Mode::Persistent;
    options.network = NetworkMode::Filtered;
    options.networkFilter.allow = { u"a"_s };
    options.networkFilter.deny = { u"b"_s };
    options.cpuLimit = 0.25;
    options.memoryLimitBytes = 12'345'678;
    options.secrets = { { u"K"_s, u"v"_s } };
    options.image = u"i"_s;
    options.isKept = true;
    options.seccomp = SeccompMode::Custom;
    options.seccompProfilePath = u"/p"_s;
    options.maxOutputBytes = 3;
    const auto back = optionsFromJson(toJson(options));
    QVERIFY2(back, qPrintable(refusal(back)));
    QCOMPARE(toJson(*back), toJson(options));
    QCOMPARE(back->memoryLimitBytes, 12'345'678);
    QCOMPARE(toJson(*optionsFromJson({})), toJson(ExecutionOptions()));
}

QTEST_GUILESS_MAIN(TestRequestJson)
#include "tst_requestjson.moc"
