// SPDX-License-Identifier: MIT
#include <QProcess>
#include <QTest>

using namespace Qt::StringLiterals;

// What QtNetwork calls.
extern "C" {
struct px_proxy_factory;
px_proxy_factory* px_proxy_factory_new();
char** px_proxy_factory_get_proxies(px_proxy_factory* factory, const char* url);
void px_proxy_factory_free_proxies(char** proxies);
void px_proxy_factory_free(px_proxy_factory* factory);
}

class TestSystemProxy : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void readsTheEnvironment_data();
    void readsTheEnvironment();
    void keepsOutWhatTheRealOneLoads();
};

void TestSystemProxy::readsTheEnvironment_data()
{
    QTest::addColumn<QByteArrayList>("environment");
    QTest::addColumn<QByteArray>("url");
    QTest::addColumn<QByteArray>("proxy");

    const QByteArrayList both { "http_proxy=http://a.test:1", "HTTPS_PROXY=http://b.test:2" };
    const auto exempt
        = [&both](const QByteArray& list) { return both + QByteArrayList { "no_proxy=" + list }; };
    QTest::newRow("none") << QByteArrayList() << "http://host.test"_ba << "direct://"_ba;
    QTest::newRow("http") << both << "http://host.test/p"_ba << "http://a.test:1"_ba;
    QTest::newRow("https, in capitals")
        << both << "https://host.test:443"_ba << "http://b.test:2"_ba;
    QTest::newRow("another scheme") << both << "ftp://host.test"_ba << "direct://"_ba;
    QTest::newRow("all") << QByteArrayList { "all_proxy=socks5://c.test:3" } << "ftp://host.test"_ba
                         << "socks5://c.test:3"_ba;
    QTest::newRow("without a scheme") << QByteArrayList { "http_proxy=a.test:1" }
                                      << "http://host.test"_ba << "http://a.test:1"_ba;
    QTest::newRow("exempt") << exempt("x.test,host.test") << "http://host.test:80"_ba
                            << "direct://"_ba;
    QTest::newRow("exempt domain") << exempt(".test") << "http://host.test"_ba << "direct://"_ba;
    QTest::newRow("exempt by spaces") << exempt("x y host.test") << "http://u:p@host.test/"_ba
                                      << "direct://"_ba;
    QTest::newRow("all exempt") << exempt("*") << "https://host.test"_ba << "direct://"_ba;
    QTest::newRow("exempt address") << exempt("::1") << "http://[::1]:80/"_ba << "direct://"_ba;
    QTest::newRow("not a label") << exempt("ost.test") << "http://host.test"_ba
                                 << "http://a.test:1"_ba;
    QTest::newRow("empty entries") << exempt(",, .,") << "http://host.test"_ba
                                   << "http://a.test:1"_ba;
    QTest::newRow("no URL") << both << ""_ba << "direct://"_ba;
    QTest::newRow("half an address") << both << "http://["_ba << "http://a.test:1"_ba;
}

void TestSystemProxy::readsTheEnvironment()
{
    QFETCH(const QByteArrayList, environment);
    QFETCH(const QByteArray, url);
    for (const char* name : { "http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "no_proxy" }) {
        qunsetenv(name);
        qunsetenv(QByteArray(name).toUpper().constData());
    }
    for (const auto& entry : environment) {
        const auto equals = entry.indexOf('=');
        qputenv(entry.first(equals).constData(), entry.mid(equals + 1));
    }

    auto* factory = px_proxy_factory_new();
    QVERIFY(factory);
    char** proxies = px_proxy_factory_get_proxies(factory, url.constData());
    QVERIFY(proxies);
    const QByteArray first(proxies[0]);
    const bool isAlone = proxies[1] == nullptr;
    px_proxy_factory_free_proxies(proxies);
    px_proxy_factory_free(factory);
    QTEST(first, "proxy");
    QVERIFY(isAlone);
}

void TestSystemProxy::keepsOutWhatTheRealOneLoads()
{
    QProcess ldd;
    ldd.start(u"ldd"_s, { QStringLiteral(ISOL8_PROGRAM) });
    QVERIFY(ldd.waitForFinished());
    const auto libraries = ldd.readAllStandardOutput();
    QVERIFY2(libraries.contains("libQt6Network"), libraries.constData());
    for (const char* heavy : { "libpxbackend", "libgnutls", "libcurl" })
        QVERIFY2(!libraries.contains(heavy), heavy);
}

QTEST_GUILESS_MAIN(TestSystemProxy)
#include "tst_systemproxy.moc"
