// SPDX-License-Identifier: MIT
#include "engine/proxy/socketstream.h"
#include "tests/engine/proxy/peer.h"

#include <QTest>

#include <sys/socket.h>
#include <unistd.h>

using namespace isol8;
using namespace isol8::proxy;
using namespace isol8::test;
using namespace Qt::StringLiterals;

namespace {

constexpr qint64 muchBytes = 16 << 20;

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
    auto pair = streamPair();
    Peer client(std::move(pair.one));
    Peer other(std::move(pair.other));
    client.write("x");
    client.stream().abort();
    QCOMPARE(client.stream().pendingBytes(), 0);
    QTRY_VERIFY(other.isCutOff());
    QVERIFY(!client.isClosed());
    client.write("ignored");
    client.stream().finishWriting();
    client.stream().abort();
}

void TestSocketStream::hearsOfAResetWhileNotReading()
{
    auto pair = streamPair();
    Peer other(std::move(pair.other));
    other.stream().setReading(false);
    pair.one->abort();
    QTRY_VERIFY(other.isCutOff());
}

void TestSocketStream::readsWhatCameBeforeAReset()
{
    // A server that refuses an upload: it answers, and closes with unread bytes.
    auto pair = streamPair();
    Peer client(std::move(pair.one));
    pair.other->write("no more");
    pair.other->finishWriting();
    client.write(QByteArray(muchBytes, 'u'));
    QTRY_COMPARE(client.received(), QByteArray("no more"));
    pair.other.reset();
    QTRY_VERIFY(client.isCutOff());
}

void TestSocketStream::destroyingResets()
{
    auto pair = streamPair();
    Peer other(std::move(pair.other));
    pair.one.reset();
    QTRY_VERIFY(other.isCutOff());
    QVERIFY(!other.hasFinished());
}

void TestSocketStream::closesInOrderAfterFinishing()
{
    auto pair = streamPair();
    Peer other(std::move(pair.other));
    pair.one->write("bye");
    pair.one->finishWriting();
    pair.one.reset();
    QTRY_VERIFY(other.hasFinished());
    QCOMPARE(other.received(), QByteArray("bye"));
    QVERIFY(!other.isCutOff());
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
