// SPDX-License-Identifier: MIT
#include "engine/core/settings.h"

#include "engine/core/trust.h"

#include <QDir>
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QRegularExpression>
#include <QTemporaryDir>
#include <QTest>

#include <sys/stat.h>

using namespace Qt::StringLiterals;
using namespace isol8;

class TestSettings : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup();
    void nothingFoundIsTheDefaults();
    void firstThatExistsIsUsed();
    void mergesOverTheDefaults();
    void readsEveryKeyThatItWrites();
    void acceptsABareSizeOfThePool();
    void refusesBadFiles_data();
    void refusesBadFiles();
    void refusesWhatIsNoFile();
    void warnsOfUnknownKeys_data();
    void warnsOfUnknownKeys();
    void tellsOfAFewUnknownKeysOnly();
    void ignoresDangerousKeysWithoutTrust();
    void trustEndsWithAChange();
    void ordinaryKeysNeedNoTrust();
    void damagedTrustIsNoTrust();
    void trustFileIsPrivate();
    void trustKeepsOthers();
    void blocksPrivateHosts_data();
    void blocksPrivateHosts();
    void makesOptions();

private:
    void writeProject(const QByteArray& text) const { write(project(), text); }
    static void write(const QString& path, const QByteArray& text);
    [[nodiscard]] QString project() const { return m_work->filePath(u"isol8.config.json"_s); }
    [[nodiscard]] QString personal() const { return m_home->filePath(u".isol8/config.json"_s); }
    [[nodiscard]] Result<LoadedSettings> load(ConfigTrust trust = ConfigTrust::Required) const
    {
        return loadSettings(m_work->path(), m_home->path(), trust);
    }

    std::unique_ptr<QTemporaryDir> m_work;
    std::unique_ptr<QTemporaryDir> m_home;
};

void TestSettings::init()
{
    m_work = std::make_unique<QTemporaryDir>();
    m_home = std::make_unique<QTemporaryDir>();
    QVERIFY(QDir(m_home->path()).mkdir(u".isol8"_s));
}

void TestSettings::cleanup()
{
    m_work.reset();
    m_home.reset();
}

void TestSettings::write(const QString& path, const QByteArray& text)
{
    QFile file(path);
    QVERIFY(file.open(QIODevice::WriteOnly));
    QCOMPARE(file.write(text), text.size());
}

void TestSettings::nothingFoundIsTheDefaults()
{
    const auto loaded = load();
    QVERIFY(loaded);
    QCOMPARE(loaded->path, QString());
    QVERIFY(loaded->settings == Settings());
    QVERIFY(loaded->warnings.isEmpty());
}

void TestSettings::firstThatExistsIsUsed()
{
    write(personal(), R"({"maxConcurrent": 2, "debug": true})");
    auto loaded = load();
    QCOMPARE(loaded->path, personal());
    QCOMPARE(loaded->settings.maxConcurrent, 2);
    writeProject(R"({"maxConcurrent": 3})");
    loaded = load();
    QCOMPARE(loaded->path, project());
    QCOMPARE(loaded->settings.maxConcurrent, 3);
    QCOMPARE(loaded->settings.debug, false); // Files are not merged with each other.
}

void TestSettings::mergesOverTheDefaults()
{
    writeProject(R"({"$schema": "./x", "defaults": {"memoryLimit": "1g", "tmpSize": 1048576},
        "network": {"whitelist": ["^a$"]}, "prebuiltImages": [{"tag": "t", "runtime": "node",
        "installPackages": ["p"]}], "dependencies": {"python": ["numpy"]}})");
    const auto loaded = load();
    QVERIFY2(loaded, qPrintable(loaded ? QString() : loaded.error().message));
    QCOMPARE(loaded->warnings, QStringList());
    Settings expected;
    expected.defaults.memoryLimitBytes = 1 << 30;
    expected.defaults.tmpSizeBytes = 1 << 20;
    expected.network.whitelist = { u"^a$"_s };
    expected.prebuiltImages = { { u"t"_s, Runtime::Node, { u"p"_s }, {} } };
    expected.dependencies = { { Runtime::Python, { u"numpy"_s } } };
    QVERIFY(loaded->settings == expected);
}

void TestSettings::readsEveryKeyThatItWrites()
{
    Settings settings;
    settings.maxConcurrent = 7;
    settings.poolStrategy = PoolStrategy::Secure;
    settings.poolSize = { 3, 4 };
    settings.defaults.timeout = std::chrono::milliseconds(1234);
    settings.defaults.cpuLimit = 0.5;
    settings.defaults.network = NetworkMode::Host;
    settings.network.ports = { 1, 65'535 };
    settings.network.allowAddresses = { u"127.0.0.1:5432"_s };
    settings.security.seccomp = SeccompMode::Unconfined;
    settings.remoteCode.cacheLifetime = std::chrono::seconds(9);
    settings.remoteCode.blockedHosts = {};
    settings.audit.toStdout = true;
    settings.audit.postLogScript = u"/x"_s;
    settings.auth.defaultTtl = std::chrono::hours(24 * 365);
    settings.registries = { { Runtime::Node, u"https://r.example"_s } };
    settings.serve.policy.maxCpu = 1.5;
    settings.serve.policy.allowPersist = true;
    settings.cli.spare = false;
    settings.prebuiltImages = { { u"t"_s, Runtime::Bash, {}, u"echo"_s } };
    write(personal(), QJsonDocument(toJson(settings)).toJson());
    const auto loaded = load();
    QVERIFY2(loaded, qPrintable(loaded ? QString() : loaded.error().message));
    QVERIFY(loaded->settings == settings);
    QCOMPARE(toJson(loaded->settings), toJson(settings));
    QCOMPARE(loaded->warnings, QStringList());
}

void TestSettings::acceptsABareSizeOfThePool()
{
    writeProject(R"({"poolSize": 5})");
    const auto loaded = load();
    QCOMPARE(loaded->settings.poolSize.clean, 5);
    QCOMPARE(loaded->settings.poolSize.dirty, 5);
    writeProject(R"({"poolSize": -5})");
    QVERIFY(load().error_or(Error {}).message.contains(u"poolSize: invalid value -5"));
}

void TestSettings::refusesBadFiles_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QString>("said");
    const auto row = [](const char* name, const QByteArray& text, const char* said) {
        QTest::newRow(name) << text << QString::fromUtf8(said);
    };
    row("empty", "", "line 1, column 1");
    row("not JSON", "{\n  maxConcurrent: 1\n}", "line 2, column");
    row("comment", "{\n\n  // no\n}", "line 3, column");
    row("trailing comma", "{\"debug\": true,\n}", "line 2, column");
    row("list", "[]", "expected a JSON object");
    row("mark", "\xef\xbb\xbf{}", "byte order mark");
    row("duplicate", "{\"debug\": true,\n \"debug\": false}", "line 2, column 2");
    row("wrong type", "{\n \"maxConcurrent\": \"10\"}",
        "line 2, column 19: maxConcurrent: invalid value \"10\": allowed are whole numbers from 1 "
        "to");
    row("null", "{\"debug\": null}", "debug: invalid value null: allowed are true and false");
    row("out of range", "{\"maxConcurrent\": 0}", "maxConcurrent: invalid value 0");
    row("fraction", "{\"maxConcurrent\": 1.5}", "maxConcurrent: invalid value 1.5");
    row("too large", "{\"maxConcurrent\": 1e300}", "maxConcurrent: invalid value 1e+300");
    row("choice", "{\"defaults\": {\"network\": \"bridge\"}}",
        "defaults.network: invalid value \"bridge\": allowed are \"none\", \"host\", \"filtered\"");
    row("size", "{\"defaults\": {\"memoryLimit\": \"lots\"}}",
        "defaults.memoryLimit: invalid value \"lots\": allowed are sizes from 6m");
    row("small size", "{\"defaults\": {\"memoryLimit\": \"1k\"}}", "defaults.memoryLimit");
    row("mount options", "{\"defaults\": {\"tmpSize\": \"64m,exec\"}}", "defaults.tmpSize");
    row("time", "{\"defaults\": {\"timeoutMs\": -1}}", "defaults.timeoutMs");
    row("cores", "{\"defaults\": {\"cpuLimit\": 0}}", "defaults.cpuLimit");
    row("group", "{\"defaults\": 5}", "defaults: invalid value 5: allowed are objects");
    row("group as a list", "{\"serve\": {\"policy\": []}}", "serve.policy: invalid value []");
    row("pattern", "{\"network\": {\"whitelist\": [\"[\"]}}", "network.whitelist");
    row("pattern that only Perl has", "{\"network\": {\"blacklist\": [\"a++\"]}}",
        "network.blacklist");
    row("host without port", "{\"network\": {\"allowAddresses\": [\"127.0.0.1\"]}}",
        "network.allowAddresses");
    row("list of numbers", "{\"network\": {\"whitelist\": [1]}}", "network.whitelist");
    row("port", "{\"network\": {\"ports\": [0]}}", "network.ports");
    row("image without a tag", "{\"prebuiltImages\": [{\"runtime\": \"node\"}]}", "prebuiltImages");
    row("image's runtime", "{\"prebuiltImages\": [{\"tag\": \"a\", \"runtime\": \"ruby\"}]}",
        "allowed are lists of objects with tag, runtime (python");
    row("image's other key",
        "{\"prebuiltImages\": [{\"tag\": \"a\", \"runtime\": \"node\", \"install\": []}]}",
        "prebuiltImages");
}

void TestSettings::refusesBadFiles()
{
    QFETCH(QByteArray, text);
    QFETCH(QString, said);
    writeProject(text);
    const auto loaded = load();
    QVERIFY(!loaded);
    QCOMPARE(loaded.error().kind, Kind::Invalid);
    const QString message = loaded.error().message;
    QVERIFY2(message.startsWith(project() + u": "_s), qPrintable(message));
    QVERIFY2(message.contains(said), qPrintable(message));
    QVERIFY(!loadSettingsFile(project()));
}

void TestSettings::refusesWhatIsNoFile()
{
    QVERIFY(QDir().mkdir(project()));
    QCOMPARE(load().error_or(Error {}).kind, Kind::Invalid);
    QVERIFY(QDir().rmdir(project()));
    QCOMPARE(::mkfifo(QFile::encodeName(project()).constData(), 0600), 0);
    QCOMPARE(load().error_or(Error {}).kind, Kind::Invalid);
    QVERIFY(QFile::remove(project()));
    QVERIFY(QFile::link(u"nowhere"_s, project()));
    QCOMPARE(load().error_or(Error {}).kind, Kind::NotFound);
    QVERIFY(QFile::remove(project()));
    QFile sparse(project());
    QVERIFY(sparse.open(QIODevice::WriteOnly));
    QVERIFY(sparse.resize(1LL << 30));
    QCOMPARE(load().error_or(Error {}).kind, Kind::Limit);
}

void TestSettings::warnsOfUnknownKeys_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QString>("warning");
    QTest::newRow("near")
        << QByteArray("{\"maxConcurent\": 1}")
        << u"line 1, column 18: maxConcurent: unknown key, did you mean maxConcurrent?"_s;
    QTest::newRow("near, nested")
        << QByteArray("{\"defaults\": {\"memorylimit\": 1}}")
        << u"defaults.memorylimit: unknown key, did you mean defaults.memoryLimit?"_s;
    QTest::newRow("without its group") << QByteArray(
        "{\"timeoutMs\": 1}") << u"timeoutMs: unknown key, did you mean defaults.timeoutMs?"_s;
    QTest::newRow("group") << QByteArray("{\"default\": {}}") << u"did you mean defaults?"_s;
    QTest::newRow("dotted") << QByteArray("{\"defaults.timeoutMs\": 1}")
                            << u"defaults.timeoutMs: unknown key"_s;
    QTest::newRow("far") << QByteArray("{\"zzzzzzzzz\": 1}") << u"zzzzzzzzz: unknown key"_s;
    QTest::newRow("escape") << QByteArray("{\"\\u001b[31m\": 1}") << u"\\x1b[31m: unknown key"_s;
}

void TestSettings::warnsOfUnknownKeys()
{
    QFETCH(QByteArray, text);
    QFETCH(QString, warning);
    writeProject(text);
    const auto loaded = load();
    QVERIFY(loaded);
    QVERIFY(loaded->settings == Settings());
    QCOMPARE(loaded->warnings.size(), 1);
    QVERIFY2(loaded->warnings[0].contains(warning), qPrintable(loaded->warnings[0]));
    QVERIFY(loaded->warnings[0].startsWith(project()));
}

void TestSettings::tellsOfAFewUnknownKeysOnly()
{
    QJsonObject object;
    for (int i = 0; i < 5000; ++i)
        object.insert(u"unknown%1"_s.arg(i), i);
    writeProject(QJsonDocument(object).toJson());
    const auto loaded = load();
    QVERIFY(loaded);
    QCOMPARE(loaded->warnings.size(), 21);
    QVERIFY(loaded->warnings.last().endsWith(u"4980 more unknown keys"));
}

void TestSettings::ignoresDangerousKeysWithoutTrust()
{
    const QByteArray text = R"({"defaults": {"network": "host", "memoryLimit": "2g"},
        "audit": {"enabled": true, "postLogScript": "./x.sh", "logDir": "/home"},
        "security": {"seccomp": "custom", "customProfilePath": "./p.json", "uidRange": true},
        "remoteCode": {"enabled": true},
        "network": {"allowPrivate": true, "allowAddresses": ["a:1"], "caBundle": "x.pem"}})";
    writeProject(text);
    auto loaded = load();
    QVERIFY(loaded);
    QVERIFY(!loaded->isTrusted);
    const QStringList ignored { u"audit.logDir"_s, u"audit.postLogScript"_s, u"defaults.network"_s,
        u"network.allowAddresses"_s, u"network.allowPrivate"_s, u"network.caBundle"_s,
        u"remoteCode.enabled"_s, u"security.customProfilePath"_s, u"security.seccomp"_s,
        u"security.uidRange"_s };
    QStringList sorted = loaded->ignoredKeys;
    sorted.sort();
    QCOMPARE(sorted, ignored);
    Settings expected;
    expected.defaults.memoryLimitBytes = 2LL << 30;
    expected.audit.enabled = true;
    QVERIFY(loaded->settings == expected);
    QCOMPARE(loaded->warnings.size(), 1);
    for (const QString& key : ignored)
        QVERIFY(loaded->warnings[0].contains(key));
    QVERIFY(loaded->warnings[0].contains(u"config --trust"));

    for (const auto& trusted : { load(ConfigTrust::Given), loadSettingsFile(project()) }) {
        QVERIFY(trusted);
        QVERIFY(trusted->isTrusted);
        QVERIFY(trusted->ignoredKeys.isEmpty());
        QCOMPARE(trusted->settings.defaults.network, NetworkMode::Host);
    }
    QVERIFY(TrustStore(m_home->path()).trust(project()));
    loaded = load();
    QVERIFY(loaded->isTrusted);
    QVERIFY(loaded->warnings.isEmpty());
    QCOMPARE(loaded->settings.audit.postLogScript, u"./x.sh"_s);

    QVERIFY(QFile::remove(project()));
    write(personal(), text);
    QCOMPARE(load()->settings.security.seccomp, SeccompMode::Custom);
}

void TestSettings::trustEndsWithAChange()
{
    const TrustStore store(m_home->path());
    writeProject(R"({"network": {"allowPrivate": true}})");
    QVERIFY(store.trust(project()));
    QVERIFY(load()->settings.network.allowPrivate);
    writeProject(R"({"network": {"allowPrivate": true} })");
    QVERIFY(!load()->settings.network.allowPrivate);
    const QTemporaryDir other;
    write(other.filePath(u"isol8.config.json"_s), R"({"network": {"allowPrivate": true}})");
    QVERIFY(!loadSettings(other.path(), m_home->path())->settings.network.allowPrivate);
}

void TestSettings::ordinaryKeysNeedNoTrust()
{
    writeProject(R"({"defaults": {"network": "filtered"}, "security": {"seccomp": "strict"},
        "remoteCode": {"enabled": false}, "prebuiltImages": []})");
    const auto loaded = load();
    QVERIFY(loaded->warnings.isEmpty());
    QCOMPARE(loaded->settings.defaults.network, NetworkMode::Filtered);
}

void TestSettings::damagedTrustIsNoTrust()
{
    writeProject(R"({"network": {"allowPrivate": true}})");
    write(m_home->filePath(u".isol8/trusted.json"_s), "{");
    const auto loaded = load();
    QVERIFY(loaded);
    QVERIFY(!loaded->settings.network.allowPrivate);
    QVERIFY(loaded->warnings.join(u' ').contains(u"trusted.json"));
    QVERIFY(!TrustStore(m_home->path()).trust(project()));
    write(m_home->filePath(u".isol8/trusted.json"_s), R"({"files": [1, 2]})");
    QVERIFY(!load()->settings.network.allowPrivate);
}

void TestSettings::trustFileIsPrivate()
{
    const QTemporaryDir home; // Without .isol8.
    writeProject("{}");
    const TrustStore store(home.path());
    QVERIFY(store.trust(project()));
    const auto others = QFile::ReadGroup | QFile::WriteGroup | QFile::ReadOther | QFile::WriteOther
        | QFile::ExeOther;
    QCOMPARE(QFile(home.filePath(u".isol8/trusted.json"_s)).permissions() & others, 0);
    QCOMPARE(QFile(home.filePath(u".isol8"_s)).permissions() & others, 0);
    QVERIFY(!store.trust(m_work->filePath(u"missing"_s)));
    QVERIFY(!store.trust(m_work->path()));
}

void TestSettings::trustKeepsOthers()
{
    const TrustStore store(m_home->path());
    writeProject("{}");
    const QString other = m_work->filePath(u"other.json"_s);
    write(other, "{ }");
    QVERIFY(store.trust(project()));
    QVERIFY(store.trust(other));
    QVERIFY(store.isTrusted(project(), "{}").value_or(false));
    QVERIFY(store.isTrusted(other, "{ }").value_or(false));
    QVERIFY(!store.isTrusted(other, "{}").value_or(true));
    // Another way to the same file is the same file.
    QVERIFY(QFile::link(project(), m_work->filePath(u"link"_s)));
    QVERIFY(store.isTrusted(m_work->filePath(u"link"_s), "{}").value_or(false));
}

void TestSettings::blocksPrivateHosts_data()
{
    QTest::addColumn<QString>("host");
    QTest::addColumn<bool>("isBlocked");
    for (const char* host : { "localhost", "x.localhost", "127.0.0.1", "10.1.2.3", "172.16.0.1",
             "172.31.255.255", "192.168.1.1", "169.254.169.254", "100.64.0.1", "100.127.1.1",
             "0.0.0.0", "::1", "[::1]", "::", "::ffff:127.0.0.1", "fd00:ec2::254", "fe80::1",
             "metadata.google.internal", "metadata" })
        QTest::newRow(host) << QString::fromLatin1(host) << true;
    for (const char* host : { "example.org", "172.32.0.1", "172.15.0.1", "100.128.0.1", "11.1.1.1",
             "fcbarcelona.com", "fd.io", "feed.example.org", "2606:4700::1",
             "localhost.example.org", "my-metadata.example.org", "110.0.0.1" })
        QTest::newRow(host) << QString::fromLatin1(host) << false;
}

void TestSettings::blocksPrivateHosts()
{
    QFETCH(QString, host);
    QFETCH(bool, isBlocked);
    const Settings settings;
    QCOMPARE(std::ranges::any_of(settings.remoteCode.blockedHosts,
                 [&host](const QString& pattern) {
                     return QRegularExpression(pattern).match(host).hasMatch();
                 }),
        isBlocked);
}

void TestSettings::makesOptions()
{
    QCOMPARE(defaultOptions(Settings()).memoryLimitBytes, ExecutionOptions().memoryLimitBytes);
    QCOMPARE(defaultOptions(Settings()).timeout, ExecutionOptions().timeout);
    Settings settings;
    settings.network.blacklist = { u"x"_s };
    settings.defaults.isRootReadOnly = false;
    settings.security.seccomp = SeccompMode::Unconfined;
    const ExecutionOptions options = defaultOptions(settings);
    QCOMPARE(options.networkFilter.deny, QStringList { u"x"_s });
    QCOMPARE(options.isRootReadOnly, false);
    QCOMPARE(options.seccomp, SeccompMode::Unconfined);
}

QTEST_GUILESS_MAIN(TestSettings)
#include "tst_settings.moc"
