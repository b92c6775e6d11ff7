// SPDX-License-Identifier: MIT
#include "ui/run/runsettingsjson.h"
#include "ui/run/runsettingsstore.h"

#include <QFileInfo>
#include <QJsonDocument>
#include <QTemporaryDir>
#include <QTest>

using namespace isol8;
using namespace isol8::ui;
using namespace Qt::StringLiterals;

/// Run options that are kept for each file.
class TestRunSettings : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void surviveBeingWritten();
    void secretsAreNotWritten();
    void nonsenseGivesDefaults_data();
    void nonsenseGivesDefaults();
    void keepsThemForEachFile();
    void forgetsTextsThatAreNoFiles();
    void dropsTheOldestFiles();

private:
    [[nodiscard]] static RunSettings unusual();
};

RunSettings TestRunSettings::unusual()
{
    RunSettings settings;
    settings.runtime = Runtime::Bun;
    settings.options.memoryLimitBytes = 100 << 20;
    settings.options.timeout = std::chrono::minutes(3);
    settings.options.network = NetworkMode::Filtered;
    settings.options.networkFilter.deny << u"x"_s;
    settings.options.isRootReadOnly = false;
    settings.options.image = u"mine:1"_s;
    settings.options.secrets = { { u"TOKEN"_s, u"s3cret-value"_s } };
    settings.arguments = { u"a b"_s, u""_s };
    settings.environment = { { u"X"_s, u"1"_s } };
    settings.stdinText = u"line\n"_s;
    settings.packages = { u"left-pad"_s };
    settings.setupScript = u"echo"_s;
    settings.workingDirectory = u"/sandbox/x"_s;
    return settings;
}

void TestRunSettings::surviveBeingWritten()
{
    const auto before = unusual();
    const auto after = runSettingsFromJson(toJson(before), {});
    QCOMPARE(after.runtime, before.runtime);
    QCOMPARE(after.options.memoryLimitBytes, before.options.memoryLimitBytes);
    QCOMPARE(after.options.timeout, before.options.timeout);
    QCOMPARE(after.options.network, before.options.network);
    QCOMPARE(after.options.networkFilter.deny, before.options.networkFilter.deny);
    QCOMPARE(after.options.isRootReadOnly, false);
    QCOMPARE(after.options.image, before.options.image);
    QCOMPARE(after.arguments, before.arguments);
    QCOMPARE(after.environment, before.environment);
    QCOMPARE(after.stdinText, before.stdinText);
    QCOMPARE(after.packages, before.packages);
    QCOMPARE(after.setupScript, before.setupScript);
    QCOMPARE(after.workingDirectory, before.workingDirectory);
    QCOMPARE(after.options.secrets, (QMap<QString, QString> { { u"TOKEN"_s, u""_s } }));
}

void TestRunSettings::secretsAreNotWritten()
{
    QVERIFY(!QJsonDocument(toJson(unusual())).toJson().contains("s3cret"));
}

void TestRunSettings::nonsenseGivesDefaults_data()
{
    QTest::addColumn<QByteArray>("json");
    QTest::newRow("empty") << "{}"_ba;
    QTest::newRow("types")
        << R"({"options":{"memoryLimit":"huge"},"request":{"args":5},"runtime":7})"_ba;
    QTest::newRow("other") << R"({"options":[],"request":"x","secrets":{}})"_ba;
}

void TestRunSettings::nonsenseGivesDefaults()
{
    QFETCH(QByteArray, json);
    const auto settings = runSettingsFromJson(QJsonDocument::fromJson(json).object(), {});
    QVERIFY(!settings.runtime);
    QCOMPARE(settings.options.memoryLimitBytes, ExecutionOptions().memoryLimitBytes);
    QVERIFY(settings.arguments.isEmpty());
    QCOMPARE(settings.workingDirectory, u"/sandbox"_s);
}

void TestRunSettings::keepsThemForEachFile()
{
    QTemporaryDir directory;
    const auto path = directory.filePath(u"options.json"_s);
    {
        RunSettingsStore store(path);
        store.keep(u"/a.py"_s, unusual());
        QCOMPARE(store.find(u"/a.py"_s).options.secrets.value(u"TOKEN"_s), u"s3cret-value"_s);
    }
    QCOMPARE(QFileInfo(path).permissions() & (QFile::ReadGroup | QFile::ReadOther),
        QFile::Permissions());
    RunSettingsStore store(path);
    QCOMPARE(store.find(u"/a.py"_s).runtime, Runtime::Bun);
    QVERIFY(!store.find(u"/b.py"_s).runtime);
    store.forget(u"/a.py"_s);
    QVERIFY(!store.find(u"/a.py"_s).runtime);
}

void TestRunSettings::forgetsTextsThatAreNoFiles()
{
    QTemporaryDir directory;
    const auto path = directory.filePath(u"options.json"_s);
    {
        RunSettingsStore store(path);
        store.keep(u"page:1"_s, unusual());
    }
    RunSettingsStore store(path);
    QVERIFY(!store.find(u"page:1"_s).runtime);
}

void TestRunSettings::dropsTheOldestFiles()
{
    QTemporaryDir directory;
    const auto path = directory.filePath(u"options.json"_s);
    {
        RunSettingsStore store(path);
        for (int i = 0; i < 400; ++i)
            store.keep(u"/%1.py"_s.arg(i), unusual());
    }
    RunSettingsStore store(path);
    QVERIFY(!store.find(u"/0.py"_s).runtime);
    QVERIFY(store.find(u"/399.py"_s).runtime);
}

QTEST_GUILESS_MAIN(TestRunSettings)
#include "tst_runsettings.moc"
