// SPDX-License-Identifier: MIT
#include "app/serve/clientpolicy.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTest>

using namespace isol8;
using namespace isol8::serve;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace {

Result<ExecuteCall> call(const QByteArray& options, const Settings& settings, bool isMaster)
{
    const auto body = QJsonDocument::fromJson(
        R"({"request":{"code":"1","timeoutMs":86400000},"options":)" + options + '}');
    auto read = executeCallFromJson(body.object(), settings);
    if (!read)
        return read;
    return permitCall(std::move(*read), settings, isMaster);
}

} // namespace

/// What clients may ask for, with and without the master key.
class TestClientPolicy : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void refusesWhatWeakens_data();
    void refusesWhatWeakens();
    void cutsLimits();
    void serversOwnChoiceIsNoLoosening();
    void profilePathIsNotTheClients();
    void networkListsOnlyNarrow();
    void nobodyGetsWhatIsNotThere();
    void codeUrlsFollowTheServersPolicy();
    void agentHasItsOwnDefaults();
    void repeatsNoSecret_data();
    void repeatsNoSecret();
};

void TestClientPolicy::refusesWhatWeakens_data()
{
    QTest::addColumn<QByteArray>("options");
    QTest::addColumn<QString>("setting");
    const auto row = [](const char* name, const QByteArray& options, const QString& setting) {
        QTest::newRow(name) << options << u"serve.policy."_s + setting;
    };
    row("host", R"({"network":"host"})", u"allowHostNetwork"_s);
    row("image", R"({"image":"debian"})", u"allowForeignImages"_s);
    row("near image", R"({"image":"isol8x:python"})", u"allowForeignImages"_s);
    row("persist", R"({"persist":true})", u"allowPersist"_s);
    row("writable", R"({"readonlyRootFs":false})", u"allowWritableRoot"_s);
    row("unconfined", R"({"security":{"seccomp":"unconfined"}})", u"allowCustomSeccomp"_s);
    row("custom", R"({"security":{"seccomp":"custom","customProfilePath":"/x"}})",
        u"allowCustomSeccomp"_s);
}

void TestClientPolicy::refusesWhatWeakens()
{
    QFETCH(QByteArray, options);
    QFETCH(QString, setting);
    Settings settings;
    const auto refused = call(options, settings, /*isMaster=*/false);
    QVERIFY(!refused);
    QCOMPARE(refused.error().kind, Kind::Denied);
    QVERIFY2(refused.error().message.contains(setting), qPrintable(refused.error().message));
    QVERIFY(call(options, settings, /*isMaster=*/true));

    auto& policy = settings.serve.policy;
    policy.allowHostNetwork = policy.allowForeignImages = policy.allowPersist
        = policy.allowWritableRoot = policy.allowCustomSeccomp = true;
    settings.security.customProfilePath = u"/etc/profile.json"_s;
    QVERIFY(call(options, settings, /*isMaster=*/false));
}

void TestClientPolicy::cutsLimits()
{
    const QByteArray wish = R"({"cpuLimit":1000,"memoryLimit":"100g","pidsLimit":100000,
        "sandboxSize":"100g","tmpSize":"100g","maxOutputSize":"1g","timeoutMs":86400000})";
    const Settings settings;
    const auto cut = call(wish, settings, /*isMaster=*/false);
    QVERIFY(cut);
    const auto& policy = settings.serve.policy;
    QCOMPARE(cut->options.cpuLimit, policy.maxCpu);
    QCOMPARE(cut->options.memoryLimitBytes, policy.maxMemoryBytes);
    QCOMPARE(cut->options.pidsLimit, policy.maxPids);
    QCOMPARE(cut->options.sandboxSizeBytes, policy.maxSandboxBytes);
    QCOMPARE(cut->options.tmpSizeBytes, policy.maxTmpBytes);
    QCOMPARE(cut->options.maxOutputBytes, policy.maxOutputBytes);
    QCOMPARE(cut->options.timeout, policy.maxTimeout);
    QCOMPARE(*cut->request.timeout, policy.maxTimeout);

    const auto whole = call(wish, settings, /*isMaster=*/true);
    QVERIFY(whole);
    QCOMPARE(whole->options.cpuLimit, 1000);
    QCOMPARE(*whole->request.timeout, 86'400'000ms);
}

void TestClientPolicy::serversOwnChoiceIsNoLoosening()
{
    Settings settings;
    settings.defaults.network = NetworkMode::Host;
    settings.defaults.isRootReadOnly = false;
    settings.security.seccomp = SeccompMode::Unconfined;
    settings.prebuiltImages << PrebuiltImage { u"team/tools"_s, Runtime::Python, {}, {} };
    QVERIFY(call(R"({"network":"host","readonlyRootFs":false,"image":"team/tools"})", settings,
        /*isMaster=*/false));
    QVERIFY(call(R"({"image":"isol8:python-custom"})", settings, /*isMaster=*/false));
}

void TestClientPolicy::profilePathIsNotTheClients()
{
    Settings settings;
    settings.serve.policy.allowCustomSeccomp = true;
    settings.security.customProfilePath = u"/etc/isol8.json"_s;
    const auto permitted
        = call(R"({"security":{"seccomp":"custom","customProfilePath":"/etc/shadow"}})", settings,
            /*isMaster=*/false);
    QVERIFY(permitted);
    QCOMPARE(permitted->options.seccompProfilePath, u"/etc/isol8.json"_s);
}

void TestClientPolicy::networkListsOnlyNarrow()
{
    Settings settings;
    settings.defaults.network = NetworkMode::Filtered;
    settings.network.whitelist = { u"\\.corp\\.test$"_s };
    settings.network.blacklist = { u"^secret\\."_s };
    settings.network.ports = { 443, 8443 };
    settings.network.allowAddresses = { u"127.0.0.1:8080"_s };
    for (const bool isMaster : { false, true }) {
        const auto plain = call("{}", settings, isMaster);
        QVERIFY(plain);
        QCOMPARE(plain->options.network, NetworkMode::Filtered);
        NetworkFilter expected;
        expected.operatorAllow = settings.network.whitelist;
        expected.deny = settings.network.blacklist;
        expected.ports = settings.network.ports;
        expected.allowAddresses = settings.network.allowAddresses;
        QCOMPARE(plain->options.networkFilter, expected);

        const auto wider = call(R"({"network":"filtered","networkFilter":{"whitelist":["."],
            "blacklist":["^a","^secret\\."],"operatorAllow":["."],"ports":[22],"allowPrivate":true,
            "allowAddresses":["10.0.0.1:22"]}})",
            settings, isMaster);
        QVERIFY(wider);
        expected.allow = { u"."_s };
        expected.deny = { u"^secret\\."_s, u"^a"_s };
        QCOMPARE(wider->options.networkFilter, expected);

        const auto emptied
            = call(R"({"networkFilter":{"whitelist":[],"blacklist":[]}})", settings, isMaster);
        QVERIFY(emptied);
        QCOMPARE(emptied->options.networkFilter.operatorAllow, settings.network.whitelist);
        QCOMPARE(emptied->options.networkFilter.deny, settings.network.blacklist);

        const auto bad = call(R"({"networkFilter":{"whitelist":["("]}})", settings, isMaster);
        QVERIFY(!bad);
        QCOMPARE(bad.error().kind, Kind::Invalid);
        QVERIFY2(bad.error().message.contains(u"\"(\""_s), qPrintable(bad.error().message));
    }
    const QByteArray many = "\"a\"" + QByteArray(",\"a\"").repeated(500);
    QVERIFY(!call(R"({"networkFilter":{"whitelist":[)" + many + "]}}", settings, false));
}

void TestClientPolicy::nobodyGetsWhatIsNotThere()
{
    auto body = QJsonDocument::fromJson(R"({"request":{"codeUrl":"https://a.test/a.py"}})");
    const auto read = executeCallFromJson(body.object(), Settings());
    QVERIFY(read);
    const auto refused = permitCall(*read, Settings(), /*isMaster=*/true);
    QVERIFY(!refused);
    QCOMPARE(refused.error().kind, Kind::Invalid);
}

/// NET-29 of ABUSE.md.
void TestClientPolicy::codeUrlsFollowTheServersPolicy()
{
    const auto ask = [](const Settings& settings, bool isMaster, bool isInsecure) {
        QJsonObject request { { u"codeUrl"_s, u"https://example.test/a.py"_s } };
        if (isInsecure)
            request.insert(u"allowInsecureCodeUrl"_s, true);
        // What a client says of the policy itself counts for nothing.
        const QJsonObject options { { u"remoteCode"_s,
            QJsonObject { { u"enabled"_s, true }, { u"blockedHosts"_s, QJsonArray() },
                { u"allowedSchemes"_s, QJsonArray { u"http"_s } } } } };
        const auto read = executeCallFromJson(
            { { u"request"_s, request }, { u"options"_s, options } }, settings);
        return permitCall(*read, settings, isMaster);
    };
    Settings settings;
    QVERIFY(!ask(settings, false, false));
    QVERIFY(!ask(settings, true, false));
    settings.remoteCode.enabled = true;
    QVERIFY(ask(settings, false, false));
    const auto insecure = ask(settings, false, true);
    QVERIFY(!insecure);
    QVERIFY(insecure.error().message.contains(u"serve.policy.allowRemoteCode"));
    QVERIFY(ask(settings, true, true));
    settings.serve.policy.allowRemoteCode = true;
    QVERIFY(ask(settings, false, true));
}

void TestClientPolicy::agentHasItsOwnDefaults()
{
    const auto read = [](const QByteArray& options) {
        const auto body = QJsonDocument::fromJson(
            R"({"request":{"code":"fix it","runtime":"agent"},"options":)" + options + '}');
        return executeCallFromJson(body.object(), {})->options;
    };
    QCOMPARE(read("{}").pidsLimit, 200);
    QCOMPARE(read("{}").sandboxSizeBytes, 2LL << 30);
    QCOMPARE(read(R"({"pidsLimit":70})").pidsLimit, 70);
}

void TestClientPolicy::repeatsNoSecret_data()
{
    QTest::addColumn<QByteArray>("member");
    QTest::newRow("image") << R"("image":"topsecret")"_ba;
    QTest::newRow("bad image") << R"("image":"-topsecret")"_ba;
    QTest::newRow("network") << R"("network":"topsecret")"_ba;
    QTest::newRow("size") << R"("tmpSize":"topsecret")"_ba;
}

void TestClientPolicy::repeatsNoSecret()
{
    QFETCH(QByteArray, member);
    const auto answer = call("{\"secrets\":{\"KEY\":\"topsecret\"}," + member + '}', {}, false);
    QVERIFY(!answer);
    QVERIFY2(answer.error().message.contains(u"***"), qPrintable(answer.error().message));
    QVERIFY2(!answer.error().message.contains(u"topsecret"), qPrintable(answer.error().message));
}

QTEST_GUILESS_MAIN(TestClientPolicy)
#include "tst_clientpolicy.moc"
