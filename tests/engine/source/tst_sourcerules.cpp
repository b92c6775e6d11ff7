// SPDX-License-Identifier: MIT
#include "engine/source/sourcerules.h"

#include <QTest>

using namespace isol8;
using namespace Qt::StringLiterals;

class TestSourceRules : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init();
    void allowsPublicHosts_data();
    void allowsPublicHosts();
    void refuses_data();
    void refuses();
    void httpOnlyWhenAskedFor();
    void listsOfHosts();
    void blockedBeatsAllowed();
    void exceptionsForOneService();
    void checksAddresses_data();
    void checksAddresses();
    void badPatternsAreNamed();
    void showsNoSecrets();

private:
    [[nodiscard]] SourceRules rules() const
    {
        return *SourceRules::create(m_policy, [] { return QList<QHostAddress>(); });
    }
    [[nodiscard]] Result<SourceTarget> judge(const QString& url, bool isInsecure = false) const
    {
        return rules().judge(url, isInsecure);
    }

    SourcePolicy m_policy;
};

void TestSourceRules::init()
{
    m_policy = SourcePolicy::of(Settings());
    m_policy.remoteCode.enabled = true;
}

void TestSourceRules::allowsPublicHosts_data()
{
    QTest::addColumn<QString>("url");
    QTest::addColumn<QString>("asked");
    QTest::addColumn<QString>("host");
    const auto row = [](const QString& url, const QString& asked, const QString& host) {
        QTest::newRow(qPrintable(url)) << url << asked << host;
    };
    row(u"https://example.test/a.py"_s, u"https://example.test/a.py"_s, u"example.test:443"_s);
    row(u"HTTPS://EXAMPLE.Test./a"_s, u"https://example.test/a"_s, u"example.test:443"_s);
    row(u"https://example.test"_s, u"https://example.test/"_s, u"example.test:443"_s);
    row(u"https://example.test:80/?q=1#part"_s, u"https://example.test:80/?q=1"_s,
        u"example.test:80"_s);
    row(u"https://bücher.test/ä"_s, u"https://xn--bcher-kva.test/%C3%A4"_s,
        u"xn--bcher-kva.test:443"_s);
    row(u"https://93.184.215.14/x"_s, u"https://93.184.215.14/x"_s, u"93.184.215.14:443"_s);
    row(u"https://[2606:2800::1]/x"_s, u"https://[2606:2800::1]/x"_s, u"[2606:2800::1]:443"_s);
}

void TestSourceRules::allowsPublicHosts()
{
    QFETCH(QString, url);
    QFETCH(QString, asked);
    QFETCH(QString, host);
    const auto target = judge(url);
    QVERIFY2(target, target ? "" : qPrintable(target.error().message));
    QCOMPARE(QString::fromLatin1(target->url.toEncoded()), asked);
    QCOMPARE(target->host.toString(), host);
    QVERIFY(target->isEncrypted());
}

void TestSourceRules::refuses_data()
{
    QTest::addColumn<QString>("url");
    for (const auto& url : { u""_s, u"example.test/a.py"_s, u"//example.test/a"_s, u"/etc/passwd"_s,
             u"https://"_s, u"https:///a"_s, u"http://example.test/"_s, u"ftp://example.test/"_s,
             u"file:///etc/passwd"_s, u"file://localhost/etc/passwd"_s, u"data:text/plain,1"_s,
             u"gopher://example.test/"_s, u"https://user@example.test/"_s,
             u"https://user:password@example.test/"_s, u"https://example.test:0/"_s,
             u"https://example.test:22/"_s, u"https://example.test:99999/"_s,
             u"https://localhost/"_s, u"https://a.localhost/"_s, u"https://localhost./"_s,
             u"https://127.0.0.1/"_s, u"https://127.1/"_s, u"https://2130706433/"_s,
             u"https://0x7f000001/"_s, u"https://0177.0.0.1/"_s, u"https://0/"_s,
             u"https://[::1]/"_s, u"https://[::ffff:127.0.0.1]/"_s, u"https://[::ffff:7f00:1]/"_s,
             u"https://[64:ff9b::7f00:1]/"_s, u"https://[fd00:ec2::254]/"_s,
             u"https://[fe80::1]/"_s, u"https://10.1.2.3/"_s, u"https://172.16.0.1/"_s,
             u"https://192.168.1.1/"_s, u"https://100.64.0.1/"_s, u"https://169.254.169.254/"_s,
             u"https://100.100.100.200/"_s, u"https://168.63.129.16/"_s, u"https://224.0.0.1/"_s,
             u"https://metadata.google.internal/"_s, u"https://host.docker.internal/"_s,
             u"https://exa mple.test/"_s, u"https://example.test%2f@evil.test/"_s,
             u"https://evil.test\\@example.test/"_s, u"https://-x.test/"_s, u"https://a..test/"_s,
             u"https://example.test/%zz"_s, u"https://example.test/"_s + QString(9000, u'a') })
        QTest::newRow(qPrintable(url.left(40))) << url;
}

void TestSourceRules::refuses()
{
    QFETCH(QString, url);
    const auto target = judge(url);
    QVERIFY2(!target, qPrintable(url));
    QVERIFY(!target.error().message.isEmpty() && target.error().message.size() < 500);
    QVERIFY2(!target.error().message.contains(u"password"), qPrintable(target.error().message));
}

void TestSourceRules::httpOnlyWhenAskedFor()
{
    QVERIFY(!judge(u"http://example.test/"_s));
    const auto target = judge(u"http://example.test/"_s, /*isInsecure=*/true);
    QVERIFY(target);
    QCOMPARE(target->host.port, quint16(80));
    QVERIFY(!target->isEncrypted());
    QVERIFY(!judge(u"http://127.0.0.1/"_s, /*isInsecure=*/true));
    QVERIFY(!judge(u"ftp://example.test/"_s, /*isInsecure=*/true));
    m_policy.remoteCode.allowedSchemes = { u"https"_s, u"http"_s, u"ftp"_s };
    QVERIFY(judge(u"http://example.test/"_s));
    QVERIFY(!judge(u"ftp://example.test/"_s));
}

void TestSourceRules::listsOfHosts()
{
    m_policy.remoteCode.allowedHosts = { u"^(.*\\.)?example\\.test$"_s };
    QVERIFY(judge(u"https://example.test/"_s));
    QVERIFY(judge(u"https://RAW.example.test./"_s));
    const auto refused = judge(u"https://example.test.evil.test/"_s);
    QVERIFY(!refused);
    QCOMPARE(refused.error().kind, Kind::Denied);
    QVERIFY(refused.error().message.contains(u"remoteCode.allowedHosts"));
}

void TestSourceRules::blockedBeatsAllowed()
{
    m_policy.remoteCode.allowedHosts = { u"example"_s };
    m_policy.remoteCode.blockedHosts = { u"^evil\\.example\\.test$"_s };
    QVERIFY(judge(u"https://good.example.test/"_s));
    for (const auto& url : { u"https://evil.example.test/"_s, u"https://EVIL.example.test/"_s,
             u"https://evil.example.test./"_s, u"https://evil.example.test:443/"_s,
             u"https://%65vil.example.test/"_s })
        QVERIFY2(!judge(url), qPrintable(url));
    // The list is not what keeps private addresses out.
    m_policy.remoteCode.allowedHosts.clear();
    m_policy.remoteCode.blockedHosts.clear();
    QVERIFY(!judge(u"https://127.0.0.1/"_s));
    // A pattern that cannot be decided blocks, and does not allow.
    m_policy.remoteCode.blockedHosts = { u"(a*)*(a*)*(a*)*b$"_s };
    QVERIFY(!judge(u"https://"_s + QString(60, u'a') + u".test/"_s));
}

void TestSourceRules::exceptionsForOneService()
{
    m_policy.remoteCode.blockedHosts.clear();
    m_policy.allowAddresses = { u"127.0.0.1:8443"_s };
    const auto target = judge(u"https://127.0.0.1:8443/"_s);
    QVERIFY(target);
    QVERIFY(rules().checkAddress(*target, QHostAddress(u"127.0.0.1"_s)));
    QVERIFY(!judge(u"https://127.0.0.1:8444/"_s));
    QVERIFY(!judge(u"https://127.0.0.1/"_s));
    // Another host on that port is judged by what it resolves to.
    const auto named = judge(u"https://example.test:8443/"_s);
    QVERIFY(named);
    QVERIFY(rules().checkAddress(*named, QHostAddress(u"127.0.0.1"_s)));
    QVERIFY(!rules().checkAddress(*named, QHostAddress(u"127.0.0.2"_s)));
    QVERIFY(!rules().checkAddress(*named, QHostAddress(u"93.184.215.14"_s)));
}

void TestSourceRules::checksAddresses_data()
{
    QTest::addColumn<QString>("address");
    QTest::addColumn<bool>("isAllowed");
    for (const auto& address : { u"93.184.215.14"_s, u"2606:2800::1"_s, u"::ffff:93.184.215.14"_s })
        QTest::newRow(qPrintable(address)) << address << true;
    for (const auto& address : { u"127.0.0.1"_s, u"10.0.0.1"_s, u"169.254.169.254"_s, u"::1"_s,
             u"::ffff:10.0.0.1"_s, u"fd00::1"_s, u"0.0.0.0"_s, u"100.64.1.1"_s })
        QTest::newRow(qPrintable(address)) << address << false;
}

void TestSourceRules::checksAddresses()
{
    QFETCH(QString, address);
    QFETCH(bool, isAllowed);
    const auto target = judge(u"https://example.test/"_s);
    QVERIFY(target);
    QCOMPARE(rules().checkAddress(*target, QHostAddress(address)).has_value(), isAllowed);
    m_policy.isPrivateAllowed = true;
    QVERIFY(rules().checkAddress(*target, QHostAddress(address)));
}

void TestSourceRules::badPatternsAreNamed()
{
    m_policy.remoteCode.blockedHosts = { u"("_s };
    const auto bad = SourceRules::create(m_policy);
    QVERIFY(!bad);
    QVERIFY(bad.error().message.contains(u"remoteCode.blockedHosts"));
    m_policy.remoteCode.blockedHosts.clear();
    m_policy.allowAddresses = { u"nonsense"_s };
    QVERIFY(!SourceRules::create(m_policy));
}

void TestSourceRules::showsNoSecrets()
{
    QCOMPARE(shownUrl(QUrl(u"https://user:key@example.test/a?token=1#x"_s)),
        u"https://example.test/a"_s);
}

QTEST_GUILESS_MAIN(TestSourceRules)
#include "tst_sourcerules.moc"
