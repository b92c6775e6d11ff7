// SPDX-License-Identifier: MIT
#include "tests/app/isolatedprogram.h"

#include <QJsonDocument>
#include <QJsonObject>
#include <QTest>

using namespace Qt::StringLiterals;
using namespace isol8::tests;

/// `isol8 config`, and what a configuration file does to `run`.
class TestConfigCommand : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init() { m_program = std::make_unique<IsolatedProgram>(); }
    void showsTheConfiguration();
    void placesConfigurationErrors_data();
    void placesConfigurationErrors();
    void everyCommandRefusesABadConfiguration();
    void ignoresWhatAProjectMayNotSet();
    void trustsAProject();
    void warnsOfImagesOfAProject();

private:
    [[nodiscard]] Outcome run(const QStringList& arguments) const
    {
        return m_program->run(arguments);
    }

    std::unique_ptr<IsolatedProgram> m_program;
};

void TestConfigCommand::showsTheConfiguration()
{
    const auto defaults = run({ u"config"_s });
    QCOMPARE(defaults.exitCode, 0);
    QVERIFY(defaults.out.contains("defaults.timeoutMs = 30000\n"));
    QVERIFY(defaults.out.contains("maxConcurrent = 10\n"));

    m_program->write(
        u"isol8.config.json"_s, R"({"maxConcurrent": 3, "defaults": {"memoryLimit": "1g"}})");
    const auto project = run({ u"config"_s });
    QCOMPARE(project.exitCode, 0);
    QVERIFY(project.out.contains("isol8.config.json"));
    QVERIFY(project.out.contains("maxConcurrent = 3\n"));
    const auto json = QJsonDocument::fromJson(run({ u"config"_s, u"--json"_s }).out).object();
    QCOMPARE(json.value(u"maxConcurrent"_s).toInt(), 3);
    QCOMPARE(json.value(u"defaults"_s)[u"timeoutMs"_s].toInt(), 30'000);
    QCOMPARE(run({ u"config"_s, u"--validate"_s }).exitCode, 0);
    QCOMPARE(run({ u"config"_s, u"--validate"_s, u"isol8.config.json"_s }).exitCode, 0);
    QVERIFY(run({ u"run"_s, u"-e"_s, u"1"_s }).err.contains("isol8.config.json"));
}

void TestConfigCommand::placesConfigurationErrors_data()
{
    QTest::addColumn<QByteArray>("content");
    QTest::addColumn<QList<QByteArray>>("texts");
    QTest::newRow("broken") << QByteArray("{\n  \"debug\": tru\n}")
                            << QList<QByteArray> { "line ", "column " };
    QTest::newRow("wrong type") << QByteArray("{\n \"maxConcurrent\": \"many\"}")
                                << QList<QByteArray> { "maxConcurrent", "many", "line 2" };
}

void TestConfigCommand::placesConfigurationErrors()
{
    QFETCH(QByteArray, content);
    QFETCH(QList<QByteArray>, texts);
    m_program->write(u"isol8.config.json"_s, content);
    const auto outcome = run({ u"config"_s });
    QCOMPARE(outcome.exitCode, 1);
    QVERIFY2(outcome.err.contains("isol8.config.json"), outcome.err.constData());
    for (const auto& text : texts)
        QVERIFY2(outcome.err.contains(text), outcome.err.constData());
}

void TestConfigCommand::everyCommandRefusesABadConfiguration()
{
    m_program->write(u"isol8.config.json"_s, R"({"maxConcurrent": "many"})");
    for (const auto& arguments : { QStringList { u"config"_s, u"--validate"_s },
             QStringList { u"run"_s, u"-e"_s, u"1"_s } }) {
        const auto outcome = run(arguments);
        QCOMPARE(outcome.exitCode, 1);
        QVERIFY2(outcome.err.contains("isol8.config.json"), outcome.err.constData());
        QVERIFY2(outcome.err.contains("maxConcurrent"), outcome.err.constData());
    }
    QCOMPARE(run({ u"run"_s, u"--help"_s }).exitCode, 0);
}

void TestConfigCommand::ignoresWhatAProjectMayNotSet()
{
    m_program->write(u"isol8.config.json"_s,
        R"({"defaults": {"network": "host"}, "security": {"seccomp": "unconfined"}})");
    const auto outcome = run({ u"run"_s, u"-e"_s, u"1"_s });
    QVERIFY2(outcome.err.contains("[WARN] ") && outcome.err.contains("security"),
        outcome.err.constData());
    QVERIFY2(!outcome.err.contains("whole network"), outcome.err.constData());
    const auto json = QJsonDocument::fromJson(run({ u"config"_s, u"--json"_s }).out).object();
    QCOMPARE(json.value(u"defaults"_s).toObject().value(u"network"_s).toString(), u"none"_s);
}

void TestConfigCommand::trustsAProject()
{
    m_program->write(u"isol8.config.json"_s, R"({"defaults": {"network": "host"}})");
    const auto trusted = run({ u"config"_s, u"--trust"_s });
    QVERIFY2(trusted.exitCode == 0, trusted.err.constData());
    QVERIFY2(trusted.err.contains("defaults.network"), trusted.err.constData());
    const auto network = [this] {
        const auto json = QJsonDocument::fromJson(run({ u"config"_s, u"--json"_s }).out).object();
        return json.value(u"defaults"_s).toObject().value(u"network"_s).toString();
    };
    QCOMPARE(network(), u"host"_s);
    QVERIFY(run({ u"run"_s, u"-e"_s, u"1"_s })
            .err.contains("[WARN] The program has this machine's whole network"));
    m_program->write(u"isol8.config.json"_s, R"({"defaults": {"network": "host"} })");
    QCOMPARE(network(), u"none"_s);
}

void TestConfigCommand::warnsOfImagesOfAProject()
{
    const auto warning = "run as root in Docker's own build containers"_ba;
    m_program->write(u"isol8.config.json"_s, R"({"dependencies": {"node": ["lodash"]}})");
    QVERIFY(run({ u"setup"_s }).err.contains(warning));
    QCOMPARE(run({ u"config"_s, u"--trust"_s }).exitCode, 0);
    QVERIFY(!run({ u"setup"_s }).err.contains(warning));
    m_program->write(u"isol8.config.json"_s, R"({"maxConcurrent": 3})");
    QVERIFY(!run({ u"setup"_s }).err.contains(warning));
}

QTEST_GUILESS_MAIN(TestConfigCommand)
#include "tst_configcommand.moc"
