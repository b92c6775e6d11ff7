// SPDX-License-Identifier: MIT
#include "engine/proxy/dialer.h"
#include "tests/engine/proxy/peer.h"

#include <QCoroTask>
#include <QTest>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace isol8;
using namespace isol8::proxy;
using namespace isol8::test;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace {

/// Listens, takes nobody, and has no room for another: who connects is not answered.
class FullServer {
public:
    FullServer()
    {
        m_descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address {};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(0x7f000001);
        socklen_t size = sizeof address;
        if (::bind(m_descriptor, reinterpret_cast<sockaddr*>(&address), size) != 0
            || ::listen(m_descriptor, 0) != 0
            || ::getsockname(m_descriptor, reinterpret_cast<sockaddr*>(&address), &size) != 0)
            qFatal("listen");
        m_port = ntohs(address.sin_port);
        for (int& filler : m_fillers) {
            filler = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
            (void)::connect(filler, reinterpret_cast<sockaddr*>(&address), size);
        }
    }
    ~FullServer()
    {
        for (const int filler : m_fillers)
            ::close(filler);
        ::close(m_descriptor);
    }
    Q_DISABLE_COPY_MOVE(FullServer)

    [[nodiscard]] quint16 port() const { return m_port; }

private:
    int m_descriptor = -1;
    int m_fillers[4] {};
    quint16 m_port = 0;
};

const QHostAddress loopback(QHostAddress::LocalHost);

} // namespace

class TestDialer : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void connects();
    void triesOneAfterTheOther();
    void tellsWhyNobodyAnswered();
    void givesUpInTime();
    void passesOverWhoIsSilent();
    void cancels();
};

void TestDialer::connects()
{
    RawServer server;
    const auto stream = QCoro::waitFor(dial({ loopback }, server.serverPort(), 60s, {}));
    QVERIFY(stream);
    QTRY_COMPARE(server.count(), 1);
    (*stream)->write("x");
    QTRY_COMPARE(server.peer(0).received(), QByteArray("x"));
}

void TestDialer::triesOneAfterTheOther()
{
    RawServer server(u"127.0.0.3"_s);
    const auto stream = QCoro::waitFor(
        dial({ QHostAddress(u"127.0.0.1"_s), QHostAddress(u"::1"_s), QHostAddress(u"127.0.0.3"_s) },
            server.serverPort(), 60s, {}));
    QVERIFY(stream);
    QTRY_COMPARE(server.count(), 1);
}

void TestDialer::tellsWhyNobodyAnswered()
{
    quint16 port = 0;
    {
        RawServer server;
        port = server.serverPort();
    }
    const auto refused = QCoro::waitFor(dial({ loopback }, port, 60s, {}));
    QVERIFY(!refused);
    QCOMPARE(refused.error().kind, Kind::Unreachable);
    QVERIFY(refused.error().message.contains(u"refused"_s, Qt::CaseInsensitive));
    QCOMPARE(QCoro::waitFor(dial({}, port, 60s, {})).error().kind, Kind::Unreachable);
}

void TestDialer::givesUpInTime()
{
    const FullServer server;
    const auto silent = QCoro::waitFor(dial({ loopback }, server.port(), 50ms, {}));
    QVERIFY(!silent);
    QCOMPARE(silent.error().kind, Kind::Timeout);
}

void TestDialer::passesOverWhoIsSilent()
{
    const FullServer silent;
    RawServer server(u"127.0.0.3"_s, silent.port());
    const auto stream
        = QCoro::waitFor(dial({ loopback, QHostAddress(u"127.0.0.3"_s) }, silent.port(), 3s, {}));
    QVERIFY(stream);
    QTRY_COMPARE(server.count(), 1);
}

void TestDialer::cancels()
{
    const FullServer server;
    const CancelToken cancel;
    auto task = dial({ loopback, loopback }, server.port(), 60s, cancel);
    QVERIFY(!task.isReady());
    cancel.cancel();
    const auto ended = QCoro::waitFor(std::move(task));
    QVERIFY(!ended);
    QCOMPARE(ended.error().kind, Kind::Cancelled);
}

QTEST_GUILESS_MAIN(TestDialer)
#include "tst_dialer.moc"
