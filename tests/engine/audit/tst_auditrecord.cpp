// SPDX-License-Identifier: MIT
#include "engine/audit/auditrecord.h"

#include <QCryptographicHash>
#include <QJsonArray>
#include <QJsonDocument>
#include <QTest>

using namespace isol8;
using namespace Qt::StringLiterals;

class TestAuditRecord : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init();
    void hasEveryKey();
    void isOneLine();
    void codeAndOutputOnlyWhenAskedFor();
    void hashesWhatWasRun();
    void tellsAFailure();
    void showsNoSecret();
    void secretsAreMaskedBeforeTextIsCut();
    void boundsTheClientsPart();

private:
    [[nodiscard]] QJsonObject record(const SecretSet& secrets = {}) const
    {
        return QJsonDocument::fromJson(auditLine(m_run, m_settings, secrets)).object();
    }

    AuditedRun m_run;
    Settings::Audit m_settings;
};

void TestAuditRecord::init()
{
    m_settings = {};
    m_run = {};
    m_run.request.code = "print(1)";
    m_run.request.tenant = u"acme"_s;
    m_run.request.metadata = { { u"userId"_s, u"ann"_s }, { u"job"_s, 7 } };
    m_run.result.executionId = u"5f0c"_s;
    m_run.result.timestamp
        = QDateTime::fromString(u"2025-11-28T01:02:03.004Z"_s, Qt::ISODateWithMs);
    m_run.result.containerId = u"abcdef"_s;
    m_run.result.duration = std::chrono::milliseconds(12);
    m_run.result.exitCode = 3;
    m_run.result.violations = { { u"pids"_s, u"too many"_s, u"--pids-limit"_s } };
    NetworkLogEntry entry;
    entry.host = u"example.test"_s;
    m_run.result.networkLogs = { entry };
    m_run.result.standardOutput = "out";
    m_run.result.standardError = "err";
}

void TestAuditRecord::hasEveryKey()
{
    const auto object = record();
    QCOMPARE(object[u"executionId"], u"5f0c"_s);
    QCOMPARE(object[u"userId"], u"ann"_s);
    QCOMPARE(object[u"tenantId"], u"acme"_s);
    QCOMPARE(object[u"timestamp"], u"2025-11-28T01:02:03.004Z"_s);
    QCOMPARE(object[u"runtime"], u"python"_s);
    QCOMPARE(object[u"containerId"], u"abcdef"_s);
    QCOMPARE(object[u"exitCode"], 3);
    QCOMPARE(object[u"durationMs"], 12);
    QCOMPARE(object[u"ending"], u"exited"_s);
    QVERIFY(object[u"resourceUsage"].toObject().contains(u"peakMemoryMB"_s));
    QCOMPARE(object[u"securityEvents"][0][u"type"], u"pids"_s);
    QCOMPARE(object[u"securityEvents"][0][u"message"], u"too many"_s);
    QCOMPARE(object[u"networkLogs"][0][u"host"], u"example.test"_s);
    QCOMPARE(object[u"metadata"].toObject(), m_run.request.metadata);
    QVERIFY(!object.contains(u"error"));

    m_settings.trackResources = false;
    QVERIFY(!record().contains(u"resourceUsage"));
}

void TestAuditRecord::isOneLine()
{
    m_settings.includeOutput = true;
    m_run.result.standardOutput = "a\nb\r\n\xff\0z"_ba;
    const auto line = auditLine(m_run, m_settings, {});
    QCOMPARE(line.count('\n'), 1);
    QVERIFY(line.endsWith("}\n"));
    QVERIFY(!QJsonDocument::fromJson(line).isNull());
}

void TestAuditRecord::codeAndOutputOnlyWhenAskedFor()
{
    for (const auto& key : { u"code"_s, u"stdout"_s, u"stderr"_s })
        QVERIFY(!record().contains(key));
    m_settings.includeCode = true;
    QCOMPARE(record()[u"code"], u"print(1)"_s);
    QVERIFY(!record().contains(u"stdout"));
    m_settings.includeOutput = true;
    QCOMPARE(record()[u"stdout"], u"out"_s);
    QCOMPARE(record()[u"stderr"], u"err"_s);
}

void TestAuditRecord::hashesWhatWasRun()
{
    const auto digest = [](const QByteArray& bytes) {
        return QString::fromLatin1(
            QCryptographicHash::hash(bytes, QCryptographicHash::Sha256).toHex());
    };
    QCOMPARE(record()[u"codeHash"], digest("print(1)"));
    m_run.request.code = {};
    m_run.request.command = u"echo ä"_s;
    QCOMPARE(record()[u"codeHash"], digest("echo ä"));
    m_settings.includeCode = true;
    QCOMPARE(record()[u"code"], u"echo ä"_s);
}

void TestAuditRecord::tellsAFailure()
{
    m_run.error = Error { Kind::NotFound, u"no image"_s };
    const auto object = record();
    QVERIFY(object[u"exitCode"].isNull());
    QCOMPARE(object[u"error"], u"no image"_s);
    QVERIFY(!object.contains(u"ending"));
}

void TestAuditRecord::showsNoSecret()
{
    const auto secret = u"s3cr\"t-välue"_s;
    m_settings.includeCode = true;
    m_settings.includeOutput = true;
    m_run.request.code = "x = '" + secret.toUtf8() + "'";
    m_run.request.tenant = secret;
    m_run.request.codeUrl = u"https://example.test/?k="_s + secret;
    m_run.request.metadata = { { u"userId"_s, secret }, { secret, 1 },
        { u"deep"_s, QJsonArray { QJsonObject { { u"x"_s, u"a"_s + secret } } } } };
    m_run.result.standardOutput = secret.toUtf8();
    m_run.result.violations = { { u"host"_s, secret, {} } };
    m_run.result.networkLogs[0].path = u'/' + secret;
    m_run.error = Error { Kind::Internal, u"about "_s + secret };
    const SecretSet secrets({ { u"KEY"_s, secret } });
    const auto line = auditLine(m_run, m_settings, secrets);
    QVERIFY(!QString::fromUtf8(line).contains(u"välue"));
    QVERIFY(!line.contains("s3cr"));
    const auto object = record(secrets);
    QCOMPARE(object[u"userId"], u"***"_s);
    QCOMPARE(object[u"metadata"][u"***"], 1);
    QCOMPARE(object[u"metadata"][u"deep"][0][u"x"], u"a***"_s);
    QCOMPARE(object[u"code"], u"x = '***'"_s);
}

void TestAuditRecord::secretsAreMaskedBeforeTextIsCut()
{
    m_settings.includeCode = true;
    m_run.request.code = QByteArray((1 << 20) - 4, 'x') + "topsecret" + QByteArray(100, 'y');
    const auto code = record(SecretSet({ { u"KEY"_s, u"topsecret"_s } }))[u"code"].toString();
    QVERIFY(code.size() <= 1 << 20);
    QVERIFY(!code.contains(u"top"));
    QVERIFY(code.endsWith(u"***y"));
}

void TestAuditRecord::boundsTheClientsPart()
{
    m_run.request.metadata = { { u"big"_s, QString(100'000, u'x') } };
    QVERIFY(auditLine(m_run, m_settings, {}).size() < 10'000);
    QVERIFY(record()[u"metadata"][u"omittedBytes"].toInt() > 100'000);

    QJsonValue deep = u"end"_s;
    for (int i = 0; i < 500; ++i)
        deep = QJsonArray { deep };
    m_run.request.metadata = { { u"deep"_s, deep } };
    QVERIFY(!record().isEmpty());
}

QTEST_GUILESS_MAIN(TestAuditRecord)
#include "tst_auditrecord.moc"
