// SPDX-License-Identifier: MIT
#include "engine/proxy/socketstream.h"
#include "tests/engine/proxy/peer.h"

#include <QTest>
#include <QtEndian>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace isol8;
using namespace isol8::proxy;
using namespace isol8::test;
using namespace Qt::StringLiterals;

namespace {

constexpr qint64 muchBytes = 8 << 20;

/// A stream, and the plain other end of its socket.
struct Half {
    std::unique_ptr<SocketStream> stream;
    int other = -1;

    Half()
    {
        int ends[2] { -1, -1 };
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0)
            qFatal("socketpair");
        stream = std::make_unique<SocketStream>(ends[0]);
        other = ends[1];
    }
    ~Half()
    {
        if (other >= 0)
            ::close(other);
    }
};

/// Two streams over TCP, where closing can reset.
struct TcpPair {
    RawServer server;
    std::unique_ptr<Peer> client;

    TcpPair()
    {
        const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address {};
        address.sin_family = AF_INET;
        address.sin_port = qToBigEndian(server.serverPort());
        address.sin_addr.s_addr = qToBigEndian<quint32>(0x7f000001);
        if (::connect(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
            qFatal("connect");
        ::fcntl(descriptor, F_SETFL, O_NONBLOCK);
        client = std::make_unique<Peer>(std::make_unique<SocketStream>(descriptor));
    }
    bool isThere()
    {
        return QTest::qWaitFor([this] { return server.count() == 1; });
    }
    Peer& peer() { return server.peer(0); }
};

} // namespace

class TestSocketStream : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void passesBytesBothWays();
    void holdsTheSenderBack();
    void queuesWhatIsNotTaken();
    void eachDirectionEndsOnItsOwn();
    void finishWaitsForTheQueue();
    void signalsNothingAfterAbort();
    void hearsOfAResetWhileNotReading();
    void readsWhatCameBeforeAReset();
    void destroyingResets();
    void closesInOrderAfterFinishing();
    void mayBeDestroyedInItsSignals();
};

void TestSocketStream::passesBytesBothWays()
{
    auto pair = streamPair();
    Peer one(std::move(pair.one));
    Peer other(std::move(pair.other));
    one.write("hello");
    other.write("world");
    QTRY_COMPARE(other.received(), QByteArray("hello"));
    QTRY_COMPARE(one.received(), QByteArray("world"));
    QCOMPARE(one.stream().pendingBytes(), 0);
}

void TestSocketStream::holdsTheSenderBack()
{
    Half half;
    QByteArray received;
    connect(half.stream.get(), &ByteStream::received, this,
        [&](const QByteArray& bytes) { received += bytes; });
    QCOMPARE(::send(half.other, "x", 1, 0), 1);
    QCoreApplication::processEvents();
    QVERIFY(received.isEmpty()); // Off at first.
    half.stream->setReading(true);
    QTRY_COMPARE(received, QByteArray("x"));
    half.stream->setReading(false);
    QCOMPARE(::send(half.other, "y", 1, 0), 1);
    QCoreApplication::processEvents();
    QCOMPARE(received, QByteArray("x"));
}

void TestSocketStream::queuesWhatIsNotTaken()
{
    auto pair = streamPair();
    auto& writer = *pair.one;
    qint64 lastPending = 0;
    connect(&writer, &ByteStream::written, this, [&] {
        QVERIFY(writer.pendingBytes() < lastPending);
        lastPending = writer.pendingBytes();
    });
    const QByteArray much(muchBytes, 'm');
    writer.write(much);
    writer.write("end");
    lastPending = writer.pendingBytes();
    QVERIFY(lastPending > 0);
    Peer reader(std::move(pair.other));
    QTRY_COMPARE(writer.pendingBytes(), 0);
    QTRY_COMPARE(reader.receivedBytes(), muchBytes + 3);
    QVERIFY(reader.received() == much + "end");
}

void TestSocketStream::eachDirectionEndsOnItsOwn()
{
    auto pair = streamPair();
    Peer one(std::move(pair.one));
    Peer other(std::move(pair.other));
    one.write("last");
    one.stream().finishWriting();
    one.write("ignored");
    QTRY_VERIFY(other.hasFinished());
    QCOMPARE(other.received(), QByteArray("last"));
    other.write("still");
    QTRY_COMPARE(one.received(), QByteArray("still"));
    QVERIFY(!one.isClosed() && !other.isClosed());
    other.stream().finishWriting();
    QTRY_VERIFY(one.isClosed() && other.isClosed());
    QVERIFY(one.hasFinished());
    QVERIFY(!one.isCutOff() && !other.isCutOff());
}

void TestSocketStream::finishWaitsForTheQueue()
{
    auto pair = streamPair();
    pair.one->write(QByteArray(muchBytes, 'm'));
    pair.one->finishWriting();
    Peer reader(std::move(pair.other));
    QTRY_VERIFY(reader.hasFinished());
    QCOMPARE(reader.receivedBytes(), muchBytes);
}

void TestSocketStream::signalsNothingAfterAbort()
{
    TcpPair pair;
    QVERIFY(pair.isThere());
    pair.client->write("x");
    pair.client->stream().abort();
    QCOMPARE(pair.client->stream().pendingBytes(), 0);
    QTRY_VERIFY(pair.peer().isCutOff());
    QVERIFY(!pair.client->isClosed());
    pair.client->write("ignored");
    pair.client->stream().finishWriting();
    pair.client->stream().abort();
}

void TestSocketStream::hearsOfAResetWhileNotReading()
{
    TcpPair pair;
    QVERIFY(pair.isThere());
    pair.peer().stream().setReading(false);
    pair.client->stream().abort();
    QTRY_VERIFY(pair.peer().isCutOff());
}

void TestSocketStream::readsWhatCameBeforeAReset()
{
    TcpPair pair;
    QVERIFY(pair.isThere());
    pair.peer().write("no more");
    QTRY_COMPARE(pair.client->received(), QByteArray("no more"));
    pair.server.drop(0);
    // Writing fails, reading finds the reset: one end is signalled.
    pair.client->write("x");
    pair.client->write("y");
    QTRY_VERIFY(pair.client->isCutOff());
}

void TestSocketStream::destroyingResets()
{
    TcpPair pair;
    QVERIFY(pair.isThere());
    pair.client.reset();
    QTRY_VERIFY(pair.peer().isCutOff());
    QVERIFY(!pair.peer().hasFinished());
}

void TestSocketStream::closesInOrderAfterFinishing()
{
    TcpPair pair;
    QVERIFY(pair.isThere());
    pair.client->write("bye");
    pair.client->stream().finishWriting();
    pair.client.reset();
    QTRY_VERIFY(pair.peer().hasFinished());
    QCOMPARE(pair.peer().received(), QByteArray("bye"));
    QVERIFY(!pair.peer().isCutOff());
}

void TestSocketStream::mayBeDestroyedInItsSignals()
{
    for (const int which : { 0, 1, 2, 3 }) {
        auto pair = streamPair();
        auto doomed = std::move(pair.one);
        bool isDone = false;
        const auto destroy = [&] {
            doomed.reset();
            isDone = true;
        };
        if (which == 0)
            connect(doomed.get(), &ByteStream::received, this, destroy);
        else if (which == 1)
            connect(doomed.get(), &ByteStream::finishedReading, this, destroy);
        else if (which == 2)
            connect(doomed.get(), &ByteStream::closed, this, destroy);
        else
            connect(doomed.get(), &ByteStream::written, this, destroy);
        doomed->write(QByteArray(muchBytes, 'm'));
        doomed->finishWriting();
        doomed->setReading(true);
        Peer other(std::move(pair.other));
        other.write("x");
        other.stream().finishWriting();
        QTRY_VERIFY(isDone);
    }
}

QTEST_GUILESS_MAIN(TestSocketStream)
#include "tst_socketstream.moc"
