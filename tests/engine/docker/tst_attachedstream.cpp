// SPDX-License-Identifier: MIT
#include "engine/docker/attachedstream.h"
#include "engine/docker/client.h"
#include "tests/support/fakedocker.h"

#include <QSignalSpy>
#include <QTest>
#include <QtEndian>

#include <QCoroTask>

using namespace Qt::StringLiterals;
using namespace isol8;
using namespace isol8::docker;
using isol8::test::FakeDocker;
using Transport = Endpoint::Transport;

namespace {

constexpr int patience = 60'000;

const QByteArray pong = FakeDocker::answer(200, "OK");
const QByteArray switched
    = "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\n"
      "Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n";

QByteArray frame(int stream, const QByteArray& payload)
{
    QByteArray bytes(8, '\0');
    bytes[0] = char(stream);
    qToBigEndian(quint32(payload.size()), bytes.data() + 4);
    return bytes + payload;
}

struct Heard {
    QByteArray standardOutput;
    QByteArray standardError;
    std::optional<Error> closed;
    int closedCount = 0;
};

std::shared_ptr<Heard> listen(AttachedStream* stream)
{
    auto heard = std::make_shared<Heard>();
    QObject::connect(stream, &AttachedStream::stdoutReceived, stream,
        [heard](const QByteArray& bytes) { heard->standardOutput += bytes; });
    QObject::connect(stream, &AttachedStream::stderrReceived, stream,
        [heard](const QByteArray& bytes) { heard->standardError += bytes; });
    QObject::connect(stream, &AttachedStream::closed, stream, [heard](const Error& reason) {
        heard->closed = reason;
        ++heard->closedCount;
    });
    return heard;
}

} // namespace

/// Attaching to a fake daemon, over each transport where that makes a difference.
class TestAttachedStream : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void asksForTheUpgrade();
    void bytesBehindTheAnswerAreKept_data();
    void bytesBehindTheAnswerAreKept();
    void streamsAreToldApart_data();
    void streamsAreToldApart();
    void writesReachTheContainer_data();
    void writesReachTheContainer();
    void writesAreCounted();
    void pausedReadingHoldsTheSenderBack_data();
    void pausedReadingHoldsTheSenderBack();
    void pauseTakesEffectInMidChunk();
    void everythingIsReadBeforeTheEnd();
    void endInMidFrameIsTold();
    void brokenFramingEndsTheStream();
    void closeIsSilent();
    void listenerMayDestroyTheStream();
    void outlivesItsClient();

    void refusalIsDockers_data();
    void refusalIsDockers();
    void nonsenseIsProtocol();
    void daemonClosesInsteadOfAnswering();
    void cancelWhileWaiting();
    void cancelBeforeTheStart();
    void missingSocketIsTold();
    void refusedPortIsTold();

private:
    void init(Transport transport);
    std::shared_ptr<AttachedStream> attach(const QByteArray& answer = switched);

    std::unique_ptr<FakeDocker> m_docker;
    std::unique_ptr<Client> m_client;
};

void TestAttachedStream::init(Transport transport)
{
    m_client.reset();
    m_docker = std::make_unique<FakeDocker>(transport);
    m_client = std::make_unique<Client>(m_docker->endpoint());
}

std::shared_ptr<AttachedStream> TestAttachedStream::attach(const QByteArray& answer)
{
    m_docker->enqueue(pong);
    m_docker->enqueue(answer);
    auto stream = QCoro::waitFor(m_client->attach(u"ab"_s));
    if (!stream)
        qFatal("no stream: %s", qPrintable(stream.error().message));
    return *stream;
}

void TestAttachedStream::asksForTheUpgrade()
{
    init(Transport::Local);
    const auto stream = attach();
    const auto& request = m_docker->requests().last();
    QCOMPARE(request.verb, "POST");
    QCOMPARE(request.target,
        "/v1.41/containers/ab/attach?stream=1&stdin=1&stdout=1&stderr=1&detachKeys=");
    QCOMPARE(request.headers.value("upgrade"), "tcp");
    QCOMPARE(request.headers.value("connection"), "Upgrade");
    QVERIFY(!request.headers.value("host").isEmpty());
}

void TestAttachedStream::bytesBehindTheAnswerAreKept_data()
{
    QTest::addColumn<QByteArray>("answer");
    QTest::newRow("101") << switched;
    QTest::newRow("200") << QByteArray(
        "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n");
}

void TestAttachedStream::bytesBehindTheAnswerAreKept()
{
    QFETCH(QByteArray, answer);
    init(Transport::Local);
    const QByteArray large(50'000, 'x');
    const auto stream = attach(answer + frame(1, "early") + frame(2, large));
    const auto heard = listen(stream.get());
    QCoreApplication::processEvents();
    QVERIFY(heard->standardOutput.isEmpty()); // Nobody asked yet.
    stream->setReading(true);
    QVERIFY(heard->standardOutput.isEmpty()); // Never from within a call.
    QTRY_COMPARE_WITH_TIMEOUT(heard->standardError.size(), large.size(), patience);
    QCOMPARE(heard->standardOutput, "early");
    QVERIFY(!heard->closed);
}

void TestAttachedStream::streamsAreToldApart_data()
{
    QTest::addColumn<Transport>("transport");
    QTest::newRow("local") << Transport::Local;
    QTest::newRow("tcp") << Transport::Tcp;
}

void TestAttachedStream::streamsAreToldApart()
{
    QFETCH(Transport, transport);
    init(transport);
    const auto stream = attach();
    const auto heard = listen(stream.get());
    stream->setReading(true);
    const auto bytes = frame(1, "out") + frame(2, "err") + frame(1, "more");
    for (const char byte : bytes) {
        m_docker->connection()->write(&byte, 1);
        QCoreApplication::processEvents();
    }
    QTRY_COMPARE_WITH_TIMEOUT(heard->standardOutput, "outmore", patience);
    QCOMPARE(heard->standardError, "err");
}

void TestAttachedStream::writesReachTheContainer_data()
{
    streamsAreToldApart_data();
}

void TestAttachedStream::writesReachTheContainer()
{
    QFETCH(Transport, transport);
    init(transport);
    const auto stream = attach();
    // Docker's detach keys (Ctrl-P Ctrl-Q) are bytes like all others.
    QByteArray bytes("\x10\x11\0\xff", 4);
    for (int i = 0; i < 300'000; ++i)
        bytes += char(i);
    stream->write(bytes.first(1000));
    stream->write(bytes.sliced(1000));
    QByteArray received;
    const auto read = [&] {
        received += m_docker->connection()->readAll();
        return received.size();
    };
    QTRY_COMPARE_WITH_TIMEOUT(read(), bytes.size(), patience);
    QVERIFY(received == bytes);
}

void TestAttachedStream::writesAreCounted()
{
    init(Transport::Local);
    const auto stream = attach();
    qint64 written = 0;
    connect(stream.get(), &AttachedStream::bytesWritten, this,
        [&written](qint64 bytes) { written += bytes; });
    const QByteArray large(8 << 20, 'x');
    stream->write(large);
    QCOMPARE(written, 0);
    QCOMPARE(stream->pendingBytes(), large.size());
    QTRY_COMPARE_WITH_TIMEOUT((m_docker->connection()->readAll(), written), large.size(), patience);
    QCOMPARE(stream->pendingBytes(), 0);
}

void TestAttachedStream::pausedReadingHoldsTheSenderBack_data()
{
    streamsAreToldApart_data();
}

void TestAttachedStream::pausedReadingHoldsTheSenderBack()
{
    QFETCH(Transport, transport);
    init(transport);
    const auto stream = attach();
    const auto heard = listen(stream.get());
    constexpr qsizetype total = 64 << 20;
    const QByteArray large(total, 'x');
    auto* const daemon = m_docker->connection();
    daemon->write(frame(1, large));
    // Whatever both kernels and our buffer take is taken; then nothing moves for many turns.
    qint64 left = -1;
    int still = 0;
    while (still < 200) {
        QCoreApplication::processEvents();
        const auto now = daemon->bytesToWrite();
        still = now == left ? still + 1 : 0;
        left = now;
    }
    QVERIFY2(left > total / 2, qPrintable(QString::number(left)));
    QVERIFY(heard->standardOutput.isEmpty());
    stream->setReading(true);
    QTRY_COMPARE_WITH_TIMEOUT(heard->standardOutput.size(), total, patience);
}

void TestAttachedStream::pauseTakesEffectInMidChunk()
{
    init(Transport::Local);
    const auto stream = attach(switched + frame(1, "a") + frame(1, "b") + frame(1, "c"));
    const auto heard = listen(stream.get());
    connect(
        stream.get(), &AttachedStream::stdoutReceived, this, [&] { stream->setReading(false); });
    stream->setReading(true);
    for (const auto& expected : { "a", "ab", "abc" }) {
        QTRY_COMPARE_WITH_TIMEOUT(heard->standardOutput, expected, patience);
        for (int i = 0; i < 50; ++i)
            QCoreApplication::processEvents();
        QCOMPARE(heard->standardOutput, expected);
        stream->setReading(true);
    }
}

void TestAttachedStream::everythingIsReadBeforeTheEnd()
{
    for (const auto transport : { Transport::Local, Transport::Tcp }) {
        init(transport);
        const auto stream = attach();
        const auto heard = listen(stream.get());
        const QByteArray large(200'000, 'x');
        m_docker->connection()->write(frame(1, large) + frame(2, "last"));
        QTRY_COMPARE_WITH_TIMEOUT(m_docker->connection()->bytesToWrite(), 0, patience);
        m_docker->die();
        for (int i = 0; i < 50; ++i)
            QCoreApplication::processEvents();
        QVERIFY(!heard->closed); // Not before what it said was heard.
        stream->setReading(true);
        QTRY_VERIFY_WITH_TIMEOUT(heard->closed, patience);
        QCOMPARE(heard->closed->kind, Kind::Unreachable);
        QCOMPARE(heard->standardOutput.size(), large.size());
        QCOMPARE(heard->standardError, "last");
        stream->write("ignored");
        QCOMPARE(stream->pendingBytes(), 0);
        stream->setReading(true);
        for (int i = 0; i < 20; ++i)
            QCoreApplication::processEvents();
        QCOMPARE(heard->closedCount, 1);
    }
}

void TestAttachedStream::endInMidFrameIsTold()
{
    init(Transport::Local);
    const auto stream = attach(switched + frame(1, "12345").chopped(2));
    const auto heard = listen(stream.get());
    stream->setReading(true);
    QTRY_COMPARE_WITH_TIMEOUT(heard->standardOutput, "123", patience);
    m_docker->die();
    QTRY_VERIFY_WITH_TIMEOUT(heard->closed, patience);
    QVERIFY(heard->closed->message.contains(u"in the middle"_s));
}

void TestAttachedStream::brokenFramingEndsTheStream()
{
    init(Transport::Local);
    const auto stream = attach(switched + frame(1, "good") + frame(9, "bad") + frame(1, "unheard"));
    const auto heard = listen(stream.get());
    stream->setReading(true);
    QTRY_VERIFY_WITH_TIMEOUT(heard->closed, patience);
    QCOMPARE(heard->closed->kind, Kind::Protocol);
    QCOMPARE(heard->standardOutput, "good");
    QTRY_COMPARE_WITH_TIMEOUT(
        m_docker->openConnections(), 1, patience); // The call's; not the stream's.
}

void TestAttachedStream::closeIsSilent()
{
    init(Transport::Local);
    const auto stream = attach(switched + frame(1, "x"));
    const auto heard = listen(stream.get());
    stream->setReading(true);
    stream->close();
    QTRY_COMPARE_WITH_TIMEOUT(m_docker->openConnections(), 1, patience);
    stream->write("x");
    stream->setReading(true);
    QCoreApplication::processEvents();
    QVERIFY(!heard->closed);
    QVERIFY(heard->standardOutput.isEmpty());
}

void TestAttachedStream::listenerMayDestroyTheStream()
{
    for (const bool isAtEnd : { false, true }) {
        init(Transport::Local);
        auto stream
            = attach(switched + (isAtEnd ? QByteArray("nonsense") : frame(1, "x") + frame(1, "y")));
        int calls = 0;
        const auto destroy = [&] {
            ++calls;
            stream.reset();
        };
        connect(stream.get(), &AttachedStream::stdoutReceived, this, destroy);
        connect(stream.get(), &AttachedStream::closed, this, destroy);
        stream->setReading(true);
        QTRY_VERIFY_WITH_TIMEOUT(!stream, patience);
        QTRY_COMPARE_WITH_TIMEOUT(m_docker->openConnections(), 1, patience);
        QCOMPARE(calls, 1);
    }
}

void TestAttachedStream::outlivesItsClient()
{
    init(Transport::Local);
    const auto stream = attach();
    m_client.reset();
    const auto heard = listen(stream.get());
    stream->setReading(true);
    m_docker->connection()->write(frame(1, "still"));
    QTRY_COMPARE_WITH_TIMEOUT(heard->standardOutput, "still", patience);
}

void TestAttachedStream::refusalIsDockers_data()
{
    QTest::addColumn<QByteArray>("answer");
    QTest::addColumn<Kind>("kind");
    QTest::newRow("404") << FakeDocker::answer(404, R"({"message":"No such container: ab"})")
                         << Kind::NotFound;
    QTest::newRow("409") << FakeDocker::answer(409, R"({"message":"container ab is paused"})")
                         << Kind::Conflict;
    QTest::newRow("redirect") << FakeDocker::answer(301, "") << Kind::Protocol;
}

void TestAttachedStream::refusalIsDockers()
{
    QFETCH(QByteArray, answer);
    init(Transport::Local);
    m_docker->enqueue(pong);
    m_docker->enqueue(answer);
    const auto stream = QCoro::waitFor(m_client->attach(u"ab"_s));
    QVERIFY(!stream);
    QTEST(stream.error().kind, "kind");
}

void TestAttachedStream::nonsenseIsProtocol()
{
    init(Transport::Local);
    m_docker->enqueue(pong);
    m_docker->enqueue("SSH-2.0-OpenSSH_9.9\r\n");
    const auto stream = QCoro::waitFor(m_client->attach(u"ab"_s));
    QVERIFY(!stream);
    QCOMPARE(stream.error().kind, Kind::Protocol);
}

void TestAttachedStream::daemonClosesInsteadOfAnswering()
{
    for (const auto& answer :
        { QByteArray(), QByteArray("HTTP/1.1 101 UPGR"), switched.chopped(1) }) {
        init(Transport::Local);
        m_docker->enqueue(pong);
        m_docker->enqueue(answer, FakeDocker::After::Close);
        const auto stream = QCoro::waitFor(m_client->attach(u"ab"_s));
        QVERIFY(!stream);
        QCOMPARE(stream.error().kind, Kind::Unreachable);
    }
}

void TestAttachedStream::cancelWhileWaiting()
{
    init(Transport::Local);
    m_docker->enqueue(pong);
    QSignalSpy requested(m_docker.get(), &FakeDocker::requested);
    const CancelToken cancel;
    std::optional<Result<std::shared_ptr<AttachedStream>>> result;
    m_client->attach(u"ab"_s, cancel)
        .then([&result](Result<std::shared_ptr<AttachedStream>> stream) {
            result.emplace(std::move(stream));
        });
    QTRY_COMPARE_WITH_TIMEOUT(requested.size(), 2, patience);
    QVERIFY(!result);
    cancel.cancel();
    QTRY_VERIFY_WITH_TIMEOUT(result, patience);
    QCOMPARE(result->error().kind, Kind::Cancelled);
    QTRY_COMPARE_WITH_TIMEOUT(m_docker->openConnections(), 1, patience);
}

void TestAttachedStream::cancelBeforeTheStart()
{
    init(Transport::Local);
    const CancelToken cancel;
    cancel.cancel();
    const auto stream = QCoro::waitFor(m_client->attach(u"ab"_s, cancel));
    QVERIFY(!stream);
    QCOMPARE(stream.error().kind, Kind::Cancelled);
}

void TestAttachedStream::missingSocketIsTold()
{
    auto endpoint = *endpointFromUrl(u"unix:///nonexistent/docker.sock"_s);
    Client client(endpoint);
    const auto stream = QCoro::waitFor(client.attach(u"ab"_s));
    QVERIFY(!stream);
    QCOMPARE(stream.error().kind, Kind::Unreachable);
    QVERIFY2(
        stream.error().message.contains(u"start Docker"_s), qPrintable(stream.error().message));
}

void TestAttachedStream::refusedPortIsTold()
{
    init(Transport::Tcp);
    const auto endpoint = m_docker->endpoint();
    m_docker->die();
    Client client(endpoint);
    const auto stream = QCoro::waitFor(client.attach(u"ab"_s));
    QVERIFY(!stream);
    QCOMPARE(stream.error().kind, Kind::Unreachable);
    QVERIFY(stream.error().message.contains(endpoint.toString()));
}

QTEST_GUILESS_MAIN(TestAttachedStream)
#include "tst_attachedstream.moc"
