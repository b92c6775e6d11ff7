// SPDX-License-Identifier: MIT
#include "engine/source/sourcefetcher.h"

#include "tests/support/localserver.h"

#include <QCryptographicHash>
#include <QDir>
#include <QTemporaryDir>
#include <QTest>

using namespace isol8;
using isol8::test::LocalServer;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace {

/// Knows what it is told, and how often it was asked.
class FakeResolver final : public proxy::Resolver {
public:
    Task<QList<QHostAddress>> resolve(QString name, std::chrono::milliseconds, CancelToken) override
    {
        asked << name;
        if (!known.contains(name))
            co_return failure(Kind::NotFound, name + u" does not exist"_s);
        co_return known[name].size() > 1 ? known[name].takeFirst() : known[name].constFirst();
    }

    QMap<QString, QList<QList<QHostAddress>>> known; ///< The last one again and again.
    QStringList asked;
};

QString sha256(const QByteArray& bytes)
{
    return QString::fromLatin1(QCryptographicHash::hash(bytes, QCryptographicHash::Sha256).toHex());
}

const QHostAddress loopback(QHostAddress::LocalHost);

} // namespace

class TestSourceFetcher : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init();
    void fetches();
    void isOffByDefault();
    void resolvesOnceAndConnectsThere();
    void everyAddressIsChecked();
    void everyRedirectIsJudged_data();
    void everyRedirectIsJudged();
    void followsRedirects();
    void endsEndlessRedirects();
    void triesTheNextAddress();
    void checksTheHash();
    void requiresAHashWhenTold();
    void keepsCode();
    void cacheFollowsThePolicy();
    void keepsNothingWhenTold_data();
    void keepsNothingWhenTold();
    void wholeTransferIsTimed();
    void canBeCancelled();
    void tellsWhatTheServerSays_data();
    void tellsWhatTheServerSays();
    void answersWithoutTheFetcher();

private:
    void restart();
    [[nodiscard]] QString url(
        const QString& path = u"/a.py"_s, const QString& host = u"code.test"_s)
    {
        return u"http://%1:%2%3"_s.arg(host).arg(m_server->port()).arg(path);
    }
    [[nodiscard]] Result<QByteArray> fetch(const CodeSource& source, CancelToken cancel = {})
    {
        return QCoro::waitFor(m_fetcher->fetch(source, cancel));
    }

    std::unique_ptr<QTemporaryDir> m_directory;
    std::unique_ptr<LocalServer> m_server;
    std::shared_ptr<FakeResolver> m_resolver;
    SourcePolicy m_policy;
    std::unique_ptr<SourceFetcher> m_fetcher;
};

void TestSourceFetcher::init()
{
    m_directory = std::make_unique<QTemporaryDir>();
    m_server = std::make_unique<LocalServer>();
    m_server->addBody(u"/a.py"_s, "print(1)");
    m_resolver = std::make_shared<FakeResolver>();
    m_resolver->known.insert(u"code.test"_s, { { loopback } });
    m_policy = {};
    m_policy.remoteCode.enabled = true;
    m_policy.remoteCode.allowedSchemes = { u"http"_s, u"https"_s };
    m_policy.allowAddresses = { u"127.0.0.1:%1"_s.arg(m_server->port()) };
    restart();
}

void TestSourceFetcher::restart()
{
    m_fetcher = std::make_unique<SourceFetcher>(m_policy, m_directory->filePath(u"cache"_s),
        SourceFetcher::Surroundings { m_resolver, [] { return QList<QHostAddress>(); } });
}

void TestSourceFetcher::fetches()
{
    const auto code = fetch({ .url = url(), .hash = {} });
    QVERIFY2(code, code ? "" : qPrintable(code.error().message));
    QCOMPARE(*code, "print(1)");
    m_server->addBody(u"/empty"_s, {});
    const auto empty = fetch({ .url = url(u"/empty"_s), .hash = {} });
    QVERIFY(empty);
    QVERIFY(empty->isEmpty() && !empty->isNull());
}

void TestSourceFetcher::isOffByDefault()
{
    m_policy.remoteCode.enabled = false;
    restart();
    const auto code = fetch({ .url = url(), .hash = {} });
    QVERIFY(!code);
    QCOMPARE(code.error().kind, Kind::Denied);
    QVERIFY(code.error().message.contains(u"remoteCode.enabled"));
    QVERIFY(m_resolver->asked.isEmpty());
}

void TestSourceFetcher::resolvesOnceAndConnectsThere()
{
    // Rebinding: the second answer would be another address.
    m_resolver->known[u"code.test"_s] = { { loopback }, { QHostAddress(u"127.0.0.2"_s) } };
    QVERIFY(fetch({ .url = url(), .hash = {} }));
    QCOMPARE(m_resolver->asked, QStringList { u"code.test"_s });
    QVERIFY(m_server->heads().value(0).toLower().contains("\r\nhost: code.test:"));
}

void TestSourceFetcher::everyAddressIsChecked()
{
    for (const auto& address : { u"127.0.0.2"_s, u"10.0.0.1"_s, u"169.254.169.254"_s, u"::1"_s }) {
        m_resolver->known[u"code.test"_s] = { { loopback, QHostAddress(address) } };
        const auto code = fetch({ .url = url(), .hash = {} });
        QVERIFY2(!code, qPrintable(address));
        QCOMPARE(code.error().kind, Kind::Denied);
        // What a name points to is not told.
        QVERIFY2(!code.error().message.contains(address), qPrintable(code.error().message));
    }
    QVERIFY(m_server->requests().isEmpty());
}

void TestSourceFetcher::everyRedirectIsJudged_data()
{
    QTest::addColumn<QByteArray>("location");
    for (const QByteArray location :
        { "http://127.0.0.1/x", "http://10.0.0.1/", "file:///etc/passwd",
            "http://inside.test:%1/a.py", "ftp://code.test/", "http://user:pw@code.test:%1/a.py",
            "http://blocked.test:%1/a.py", "//169.254.169.254/latest", "http://[::1]:%1/",
            "http://code.test:22/", "javascript:1", "http://" })
        QTest::newRow(location.constData()) << location;
}

void TestSourceFetcher::everyRedirectIsJudged()
{
    QFETCH(QByteArray, location);
    location.replace("%1", QByteArray::number(m_server->port()));
    m_resolver->known.insert(u"inside.test"_s, { { QHostAddress(u"10.0.0.1"_s) } });
    m_resolver->known.insert(u"blocked.test"_s, { { loopback } });
    m_policy.remoteCode.blockedHosts << u"^blocked\\.test$"_s;
    restart();
    m_server->add(u"/go"_s,
        "HTTP/1.1 302 Found\r\nConnection: close\r\nContent-Length: 0\r\nLocation: " + location
            + "\r\n\r\n");
    const auto code = fetch({ .url = url(u"/go"_s), .hash = {} });
    QVERIFY2(!code, code ? code->constData() : "");
    QCOMPARE(m_server->requests(), QList<QByteArray> { "/go" });
}

void TestSourceFetcher::followsRedirects()
{
    const auto redirect = [this](const QString& path, int status, const QByteArray& location) {
        m_server->add(path,
            "HTTP/1.1 " + QByteArray::number(status) + " X\r\nConnection: close\r\n"
                + "Content-Length: 0\r\nSet-Cookie: a=b\r\nLocation: " + location + "\r\n\r\n");
    };
    m_resolver->known.insert(u"other.test"_s, { { loopback } });
    redirect(u"/1"_s, 301, "/2");
    redirect(u"/2"_s, 307, "3?x=1");
    redirect(u"/3?x=1"_s, 308, url(u"/a.py"_s, u"other.test"_s).toLatin1());
    const auto code = fetch({ .url = url(u"/1"_s), .hash = {} });
    QVERIFY2(code, code ? "" : qPrintable(code.error().message));
    QCOMPARE(*code, "print(1)");
    QCOMPARE(m_resolver->asked.last(), u"other.test"_s);
    for (const auto& head : m_server->heads())
        QVERIFY(!head.toLower().contains("cookie"));
}

void TestSourceFetcher::endsEndlessRedirects()
{
    m_server->add(u"/loop"_s,
        "HTTP/1.1 302 Found\r\nConnection: close\r\nContent-Length: 0\r\nLocation: /loop\r\n\r\n");
    const auto code = fetch({ .url = url(u"/loop"_s), .hash = {} });
    QVERIFY(!code);
    QVERIFY(code.error().message.contains(u"redirects"));
    QCOMPARE(m_server->requests().size(), 6);
    m_server->add(
        u"/nowhere"_s, "HTTP/1.1 302 Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    QVERIFY(!fetch({ .url = url(u"/nowhere"_s), .hash = {} }));
}

void TestSourceFetcher::triesTheNextAddress()
{
    m_policy.allowAddresses << u"127.0.0.3:%1"_s.arg(m_server->port());
    restart();
    m_resolver->known[u"code.test"_s] = { { QHostAddress(u"127.0.0.3"_s), loopback } };
    QCOMPARE(fetch({ .url = url(), .hash = {} }).value_or(QByteArray()), "print(1)");
    m_resolver->known[u"code.test"_s] = { { QHostAddress(u"127.0.0.3"_s) } };
    const auto code = fetch({ .url = url(u"/b"_s), .hash = {} });
    QVERIFY(!code);
    QCOMPARE(code.error().kind, Kind::Unreachable);
}

void TestSourceFetcher::checksTheHash()
{
    QVERIFY(fetch({ .url = url(), .hash = sha256("print(1)") }));
    QVERIFY(fetch({ .url = url(), .hash = sha256("print(1)").toUpper() }));
    const auto code = fetch({ .url = url(), .hash = sha256("print(2)") });
    QVERIFY(!code);
    QCOMPARE(code.error().kind, Kind::Denied);
    QVERIFY(code.error().message.contains(sha256("print(1)")));
}

void TestSourceFetcher::requiresAHashWhenTold()
{
    m_policy.remoteCode.requireHash = true;
    restart();
    const auto code = fetch({ .url = url(), .hash = {} });
    QVERIFY(!code);
    QVERIFY(code.error().message.contains(u"requireHash"));
    QVERIFY(m_server->requests().isEmpty());
    QVERIFY(fetch({ .url = url(), .hash = sha256("print(1)") }));
}

void TestSourceFetcher::keepsCode()
{
    QVERIFY(fetch({ .url = url(), .hash = {} }));
    restart(); // As another process.
    QCOMPARE(fetch({ .url = url(), .hash = {} }).value_or(QByteArray()), "print(1)");
    QCOMPARE(m_server->requests().size(), 1);
    // Another hash than the cache's: it may be new code.
    QVERIFY(!fetch({ .url = url(), .hash = sha256("print(2)") }));
    QCOMPARE(m_server->requests().size(), 2);
    QVERIFY(fetch({ .url = url(), .hash = sha256("print(1)") }));
    QCOMPARE(m_server->requests().size(), 2);
}

void TestSourceFetcher::cacheFollowsThePolicy()
{
    m_resolver->known.insert(u"other.test"_s, { { loopback } });
    m_server->add(u"/go"_s,
        "HTTP/1.1 302 Found\r\nConnection: close\r\nContent-Length: 0\r\nLocation: "
            + url(u"/a.py"_s, u"other.test"_s).toLatin1() + "\r\n\r\n");
    QVERIFY(fetch({ .url = url(u"/go"_s), .hash = {} }));
    m_policy.remoteCode.blockedHosts << u"^other\\.test$"_s;
    restart();
    QVERIFY(!fetch({ .url = url(u"/go"_s), .hash = {} }));
    m_policy.remoteCode.blockedHosts.clear();
    m_policy.remoteCode.maxCodeBytes = 4;
    restart();
    QVERIFY(!fetch({ .url = url(u"/go"_s), .hash = {} }));
}

void TestSourceFetcher::keepsNothingWhenTold_data()
{
    QTest::addColumn<bool>("isCacheOn");
    QTest::newRow("setting") << false;
    QTest::newRow("secret in the URL") << true;
}

void TestSourceFetcher::keepsNothingWhenTold()
{
    QFETCH(bool, isCacheOn);
    m_policy.remoteCode.enableCache = isCacheOn;
    restart();
    for (int i = 0; i < 2; ++i)
        QVERIFY(fetch({ .url = url(), .hash = {}, .mayBeCached = !isCacheOn }));
    QCOMPARE(m_server->requests().size(), 2);
    QVERIFY(!QDir(m_directory->filePath(u"cache"_s)).exists());
}

/// NET-28 of ABUSE.md; bodies: tst_pinnedget.
void TestSourceFetcher::wholeTransferIsTimed()
{
    m_policy.remoteCode.fetchTimeout = 300ms;
    restart();
    // A byte now and then keeps no transfer alive.
    QTcpServer slow;
    QVERIFY(slow.listen(QHostAddress::LocalHost));
    connect(&slow, &QTcpServer::newConnection, &slow, [&slow] {
        auto* const socket = slow.nextPendingConnection();
        socket->write("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
        auto* const timer = new QTimer(socket);
        connect(timer, &QTimer::timeout, socket, [socket] { socket->write("x"); });
        timer->start(20ms);
    });
    m_policy.allowAddresses << u"127.0.0.1:%1"_s.arg(slow.serverPort());
    restart();
    const auto code
        = fetch({ .url = u"http://code.test:%1/"_s.arg(slow.serverPort()), .hash = {} });
    QVERIFY(!code);
    QCOMPARE(code.error().kind, Kind::Timeout);
    QVERIFY(code.error().message.contains(u"fetchTimeoutMs"));
}

void TestSourceFetcher::canBeCancelled()
{
    m_server->add(u"/slow"_s, "HTTP/1.1 200 OK\r\n", LocalServer::End::Hold);
    const CancelToken cancel;
    connect(m_server.get(), &LocalServer::requested, this, [cancel] { cancel.cancel(); });
    const auto code = fetch({ .url = url(u"/slow"_s), .hash = {} }, cancel);
    QVERIFY(!code);
    QCOMPARE(code.error().kind, Kind::Cancelled);
}

void TestSourceFetcher::tellsWhatTheServerSays_data()
{
    QTest::addColumn<QByteArray>("status");
    QTest::addColumn<int>("kind");
    QTest::newRow("204") << "204 No Content"_ba << int(Kind::Unreachable);
    QTest::newRow("206") << "206 Partial"_ba << int(Kind::Unreachable);
    QTest::newRow("403") << "403 Forbidden"_ba << int(Kind::Denied);
    QTest::newRow("404") << "404 Not Found"_ba << int(Kind::NotFound);
    QTest::newRow("500") << "500 Broken"_ba << int(Kind::Unreachable);
}

void TestSourceFetcher::tellsWhatTheServerSays()
{
    QFETCH(QByteArray, status);
    QFETCH(int, kind);
    m_server->add(u"/x?token=secret"_s, "HTTP/1.1 " + status + "\r\nConnection: close\r\n\r\n");
    const auto code = fetch({ .url = url(u"/x?token=secret"_s), .hash = {} });
    QVERIFY(!code);
    QCOMPARE(int(code.error().kind), kind);
    QVERIFY2(code.error().message.contains(QString::fromLatin1(status.first(3))),
        qPrintable(code.error().message));
    QVERIFY(code.error().message.contains(u"code.test"));
    QVERIFY(!code.error().message.contains(u"secret"));
}

void TestSourceFetcher::answersWithoutTheFetcher()
{
    auto fetching = m_fetcher->fetch({ .url = url(), .hash = {} }, {});
    m_fetcher.reset();
    QCOMPARE(QCoro::waitFor(std::move(fetching)).value_or(QByteArray()), "print(1)");
}

QTEST_GUILESS_MAIN(TestSourceFetcher)
#include "tst_sourcefetcher.moc"
