// SPDX-License-Identifier: MIT
#include "tests/engine/guest/scriptedguest.h"
#include "tests/engine/guest/streamrecorder.h"

#include <QCoroTask>
#include <QSignalSpy>
#include <QTest>

#include <cerrno>

using namespace isol8;
using namespace isol8::test;
using namespace Qt::StringLiterals;
using guest::Type;

namespace {

constexpr quint32 window = guest::connectionWindowBytes;
constexpr quint32 first = guest::connectionIdBit | 1;
constexpr quint32 second = guest::connectionIdBit | 2;

QByteArray u32(quint32 value)
{
    return ScriptedTransport::u32(value);
}

QByteArray frame(Type type, quint32 id, const QByteArray& payload = {})
{
    return ScriptedTransport::frame(type, id, payload);
}

QByteArray windowful(quint32 id)
{
    return frame(Type::ConnectionData, id, QByteArray(guest::maxPayloadBytes, 'x'))
        .repeated(window / guest::maxPayloadBytes);
}

/// Lets queued calls be made, and those that they queue.
void settle()
{
    for (int i = 0; i < 3; ++i)
        QCoreApplication::processEvents();
}

} // namespace

/// The host's end of carried connections, against a guest that does what the test tells it.
class TestCarriedConnection : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init()
    {
        auto transport = std::make_unique<ScriptedTransport>();
        m_transport = transport.get();
        m_connection = std::make_unique<GuestConnection>(std::move(transport));
        m_errors.clear();
        connect(m_connection.get(), &GuestConnection::failed, this,
            [this](const Error& error) { m_errors.append(error); });
        auto opening = m_connection->open(/*mayHaveHistory=*/false, /*isLeased=*/false, {});
        settle();
        m_transport->greet();
        QVERIFY(QCoro::waitFor(std::move(opening)));
        m_run = startRun();
    }
    void cleanup()
    {
        m_run.reset();
        m_connection.reset();
    }

    void asksForIt()
    {
        QByteArray spec;
        for (const auto& sent : m_transport->frames()) {
            if (sent.type == Type::Spec)
                spec += sent.payload;
        }
        QVERIFY(spec.startsWith(u32(guest::CarryConnections)));
    }

    void carriesBothWays()
    {
        const QSignalSpy opened(m_run.get(), &GuestRun::connectionOpened);
        m_transport->say(frame(Type::ConnectionOpened, first, u32(1)));
        QCOMPARE(opened.size(), 1);
        StreamRecorder connection(m_run->takeConnection());
        QVERIFY(!m_run->takeConnection());
        m_transport->say(frame(Type::ConnectionData, first, "hello "));
        settle();
        QCOMPARE(connection.received, QByteArray()); // nobody reads yet
        connection.stream->setReading(true);
        QCOMPARE(connection.received, QByteArray()); // not from within a call
        settle();
        m_transport->say(frame(Type::ConnectionData, first, "world"));
        QCOMPARE(connection.received, "hello world");

        connection.stream->write("answer");
        QCOMPARE(connection.stream->pendingBytes(), 6);
        settle();
        QCOMPARE(sent(first), "answer");
        QCOMPARE(connection.stream->pendingBytes(), 0);
        QCOMPARE(connection.written, 1);
    }

    void connectionsWaitToBeTaken()
    {
        m_transport->say(frame(Type::ConnectionOpened, first, u32(1))
            + frame(Type::ConnectionOpened, second, u32(1))
            + frame(Type::ConnectionData, second, "2") + frame(Type::ConnectionData, first, "1"));
        StreamRecorder one(m_run->takeConnection());
        StreamRecorder two(m_run->takeConnection());
        one.stream->setReading(true);
        two.stream->setReading(true);
        settle();
        QCOMPARE(one.received, "1");
        QCOMPARE(two.received, "2");
    }

    void onlyWhatIsReadIsGivenBack()
    {
        auto connection = open(first);
        m_transport->say(windowful(first));
        settle();
        QCOMPARE(credit(first), 0U);
        connection->stream->setReading(true);
        settle();
        QCOMPARE(connection->received.size(), qsizetype(window));
        QCOMPARE(credit(first), window);
        // Little is kept back, so that not every piece is answered, but never so much that the
        // sender stands still.
        m_transport->say(frame(Type::ConnectionData, first, "x"));
        settle();
        QCOMPARE(credit(first), window);
        connection->stream->setReading(false);
        m_transport->say(windowful(first).sliced((guest::headerBytes + guest::maxPayloadBytes)));
        connection->stream->setReading(true);
        settle();
        QVERIFY(2 * window - credit(first) < window / 2);
        QVERIFY(m_errors.isEmpty());
    }

    void sendsWithinTheWindow()
    {
        auto connection = open(first);
        connection->stream->write(QByteArray(window - 10, 'a'));
        connection->stream->write(QByteArray(100, 'b'));
        settle();
        QCOMPARE(sent(first).size(), qsizetype(window));
        QCOMPARE(connection->stream->pendingBytes(), 90);
        m_transport->say(frame(Type::ConnectionCredit, first, u32(50)));
        settle();
        QCOMPARE(connection->stream->pendingBytes(), 40);
        QCOMPARE(sent(first), QByteArray(window - 10, 'a') + QByteArray(60, 'b'));
    }

    void connectionsTakeTurns()
    {
        auto one = open(first);
        auto two = open(second);
        m_transport->setPending(1 << 30); // nothing goes out
        one->stream->write(QByteArray(3 * guest::maxPayloadBytes, '1'));
        two->stream->write(QByteArray(100, '2'));
        one->stream->finishWriting();
        settle();
        QCOMPARE(sent(first) + sent(second), QByteArray());
        m_transport->setPending(0);
        settle();
        QList<quint32> order;
        for (const auto& one : m_transport->frames()) {
            if (one.type == Type::ConnectionData)
                order << one.id;
        }
        QCOMPARE(order, (QList<quint32> { first, second, first, first }));
        QCOMPARE(m_transport->frames().last().type, Type::ConnectionEnd);
    }

    void dataNeverPilesUpBeforeControlFrames()
    {
        std::vector<std::unique_ptr<StreamRecorder>> many;
        for (quint32 i = 1; i <= guest::maxConnections; ++i)
            many.push_back(open(guest::connectionIdBit | i));
        m_transport->setPending(0);
        const auto before = m_transport->written().size();
        for (const auto& one : many)
            one->stream->write(QByteArray(window, 'x'));
        m_transport->setPending(400'000); // as if the transport was slow
        settle();
        QVERIFY(m_transport->written().size() - before < 1'000'000);
        m_run->sendSignal(15);
        m_transport->setPending(1 << 30);
        settle();
        QCOMPARE(m_transport->frames().last().type, Type::Signal);
    }

    void endsInOrder_data()
    {
        QTest::addColumn<bool>("isProgramFirst");
        QTest::newRow("program first") << true;
        QTest::newRow("host first") << false;
    }
    void endsInOrder()
    {
        QFETCH(bool, isProgramFirst);
        auto connection = open(first);
        connection->stream->setReading(true);
        const auto programEnds = [&] {
            m_transport->say(frame(Type::ConnectionData, first, "last words")
                + frame(Type::ConnectionEnd, first));
            settle();
            QCOMPARE(connection->received, "last words");
            QCOMPARE(connection->finishedReading, 1);
        };
        if (isProgramFirst)
            programEnds();
        connection->stream->write("mine");
        connection->stream->finishWriting();
        connection->stream->write("too late");
        connection->stream->finishWriting();
        settle();
        QCOMPARE(sent(first), "mine");
        QCOMPARE(count(Type::ConnectionEnd), 1);
        QVERIFY(!connection->closed);
        if (!isProgramFirst)
            programEnds();
        m_transport->say(frame(Type::ConnectionClosed, first, u32(0)));
        settle();
        QVERIFY(connection->closed && *connection->closed);
        QCOMPARE(connection->closings, 1);
        connection.reset();
        settle();
        QCOMPARE(count(Type::ConnectionReset), 0);
        QVERIFY(m_errors.isEmpty());
    }

    void theEndWaitsForAReader()
    {
        auto connection = open(first);
        connection->stream->finishWriting();
        settle();
        m_transport->say(frame(Type::ConnectionData, first, "x") + frame(Type::ConnectionEnd, first)
            + frame(Type::ConnectionClosed, first, u32(0)));
        settle();
        QCOMPARE(connection->finishedReading, 0);
        QCOMPARE(connection->closings, 0);
        connection->stream->setReading(true);
        settle();
        QCOMPARE(connection->received, "x");
        QCOMPARE(connection->finishedReading, 1);
        QVERIFY(connection->closed && *connection->closed);
    }

    void theProgramsResetWaitsForNobody()
    {
        auto connection = open(first);
        connection->stream->write("x");
        m_transport->say(frame(Type::ConnectionData, first, "unread")
            + frame(Type::ConnectionClosed, first, u32(ECONNRESET)));
        QVERIFY(connection->closed && !*connection->closed);
        QCOMPARE(connection->closed->error().kind, Kind::Unreachable);
        QCOMPARE(connection->stream->pendingBytes(), 0);
        connection->stream->setReading(true);
        connection->stream->write("y");
        connection.reset();
        settle();
        QCOMPARE(count(Type::ConnectionReset), 0);
    }

    void abortResets_data()
    {
        QTest::addColumn<bool>("isDestroyed");
        QTest::newRow("aborted") << false;
        QTest::newRow("destroyed") << true;
    }
    void abortResets()
    {
        QFETCH(bool, isDestroyed);
        auto connection = open(first);
        connection->stream->write("never sent");
        m_transport->setPending(1 << 30);
        if (isDestroyed)
            connection->stream.reset();
        else
            connection->stream->abort();
        settle();
        QCOMPARE(m_transport->lastFrame(Type::ConnectionReset).id, first);
        // What was under way then is nobody's business.
        m_transport->say(windowful(first) + windowful(first) + frame(Type::ConnectionEnd, first)
            + frame(Type::ConnectionClosed, first, u32(ECANCELED)));
        m_transport->setPending(0);
        settle();
        QVERIFY(m_errors.isEmpty());
        QCOMPARE(connection->closings, 0);
        QCOMPARE(connection->received, QByteArray());
        QCOMPARE(sent(first), QByteArray());
        connection.reset();
        settle();
        QCOMPARE(count(Type::ConnectionReset), 1);
    }

    void mayBeDestroyedInItsSignals_data()
    {
        QTest::addColumn<QByteArray>("frames");
        QTest::addColumn<QString>("signal");
        QTest::newRow("received") << frame(Type::ConnectionData, first, "x") << u"received"_s;
        QTest::newRow("finished reading") << frame(Type::ConnectionEnd, first) << u"finished"_s;
        QTest::newRow("closed") << frame(Type::ConnectionClosed, first, u32(104)) << u"closed"_s;
        QTest::newRow("closed with the run")
            << ScriptedTransport::report(1, { .outcome = guest::Outcome::Exited }) << u"closed"_s;
        QTest::newRow("written") << QByteArray() << u"written"_s;
    }
    void mayBeDestroyedInItsSignals()
    {
        QFETCH(QByteArray, frames);
        QFETCH(QString, signal);
        auto connection = open(first);
        auto& stream = connection->stream;
        int calls = 0;
        const auto destroy = [&stream, &calls] {
            ++calls;
            stream.reset();
        };
        auto* object = stream.get();
        if (signal == "received"_L1)
            connect(object, &ByteStream::received, this, destroy);
        else if (signal == "finished"_L1)
            connect(object, &ByteStream::finishedReading, this, destroy);
        else if (signal == "closed"_L1)
            connect(object, &ByteStream::closed, this, destroy);
        else
            connect(object, &ByteStream::written, this, destroy);
        object->setReading(true);
        object->write("x");
        if (signal != "written"_L1) {
            settle();
            m_transport->say(frames + frames.repeated(signal == "received"_L1 ? 3 : 0));
        }
        settle();
        QCOMPARE(calls, 1);
        QVERIFY(m_errors.isEmpty());
    }

    void endsWithItsRun()
    {
        auto taken = open(first);
        m_transport->say(frame(Type::ConnectionOpened, second, u32(1))
            + frame(Type::ConnectionData, second, "secret of the first run"));
        const QSignalSpy finished(m_run.get(), &GuestRun::finished);
        m_transport->say(ScriptedTransport::report(1, { .outcome = guest::Outcome::Exited }));
        QVERIFY(taken->closed && !*taken->closed);
        QCOMPARE(finished.size(), 1);
        QVERIFY(!m_run->takeConnection());
        taken->stream->write("to the next");
        settle();
        QCOMPARE(count(Type::ConnectionReset), 0); // the guest has ended it itself

        // The next run has its own; late frames of the first reach nobody.
        m_run = startRun();
        m_transport->say(frame(Type::ConnectionData, first, "late"));
        const quint32 third = guest::connectionIdBit | 3;
        m_transport->say(frame(Type::ConnectionOpened, third, u32(2)));
        StreamRecorder next(m_run->takeConnection());
        next.stream->setReading(true);
        m_transport->say(frame(Type::ConnectionData, second, "late")
            + frame(Type::ConnectionData, third, "new"));
        settle();
        QCOMPARE(next.received, "new");
        QVERIFY(m_errors.isEmpty());
    }

    void endsWithARunThatIsGivenUp()
    {
        auto taken = open(first);
        m_run.reset();
        QVERIFY(taken->closed && !*taken->closed);
        m_transport->say(frame(Type::ConnectionOpened, second, u32(1))
            + frame(Type::ConnectionData, second, "x"));
        settle();
        QVERIFY(m_errors.isEmpty());
    }

    void endsWithTheConversation()
    {
        auto taken = open(first);
        m_transport->die({ Kind::Unreachable, u"gone"_s });
        QVERIFY(taken->closed && !*taken->closed);
        QCOMPARE(taken->closed->error().message, u"gone"_s);
        taken->stream->write("x");
        taken->stream->finishWriting();
        taken->stream->setReading(true);
        settle();
        QCOMPARE(taken->closings, 1);
    }

    void outlivesTheConnectionObject()
    {
        auto taken = open(first);
        m_run.reset();
        m_connection.reset();
        taken->stream->write("x");
        taken->stream->abort();
        settle();
        QCOMPARE(taken->closings, 1);
    }

    void malformedFramesEndTheConversation_data()
    {
        QTest::addColumn<QByteArray>("frames"); // after `first` was opened and its writing ended
        const auto data = [](quint32 id) { return frame(Type::ConnectionData, id, "x"); };
        const auto opened
            = [](quint32 id, quint32 run) { return frame(Type::ConnectionOpened, id, u32(run)); };
        QTest::newRow("more than the window") << windowful(first) + data(first);
        QTest::newRow("credit for nothing") << frame(Type::ConnectionCredit, first, u32(1));
        QTest::newRow("short credit") << frame(Type::ConnectionCredit, first, "x");
        QTest::newRow("data after the end") << frame(Type::ConnectionEnd, first) + data(first);
        QTest::newRow("end twice") << frame(Type::ConnectionEnd, first).repeated(2);
        QTest::newRow("closed before the end") << frame(Type::ConnectionClosed, first, u32(0));
        QTest::newRow("short close") << frame(Type::ConnectionClosed, first, "x");
        QTest::newRow("host's type") << frame(Type::ConnectionReset, first);
        QTest::newRow("frame of a run") << frame(Type::Started, first, u32(1));
        QTest::newRow("output") << ScriptedTransport::frame(
            Type::Output, first, "x", guest::Stream::Stdout);
        QTest::newRow("never opened") << data(second);
        QTest::newRow("not its number") << data(1);
        QTest::newRow("opened twice") << opened(first, 1);
        QTest::newRow("number left out") << opened(second + 1, 1);
        QTest::newRow("number of the host") << opened(2, 1);
        QTest::newRow("number 0") << opened(0, 1);
        QTest::newRow("nobody's run") << opened(second, 2);
        QTest::newRow("run 0") << opened(second, 0);
        QTest::newRow("a connection's connection") << opened(second, first);
        QTest::newRow("opened short") << frame(Type::ConnectionOpened, second, "x");
        QByteArray many;
        for (quint32 i = 0; i < guest::maxConnections; ++i)
            many += opened(second + i, 1);
        QTest::newRow("too many") << many;
    }
    void malformedFramesEndTheConversation()
    {
        QFETCH(QByteArray, frames);
        auto connection = open(first);
        m_transport->say(frames);
        settle();
        QCOMPARE(m_errors.size(), 1);
        QCOMPARE(m_errors[0].kind, Kind::Protocol);
        QVERIFY(connection->closed && !*connection->closed);
        QVERIFY(!m_connection->isOpen());
    }

    void noneWhereNoneWereAskedFor()
    {
        m_transport->say(ScriptedTransport::report(1, { .outcome = guest::Outcome::Exited }));
        GuestRunSpec spec;
        spec.arguments = { "true" };
        m_run = m_connection->startRun(spec);
        m_transport->say(frame(Type::Started, 2, u32(7)));
        m_transport->say(frame(Type::ConnectionOpened, first, u32(2)));
        QCOMPARE(m_errors.size(), 1);
    }

    void noneBeforeTheStart()
    {
        m_transport->say(ScriptedTransport::report(1, { .outcome = guest::Outcome::Exited }));
        GuestRunSpec spec;
        spec.arguments = { "true" };
        spec.areConnectionsCarried = true;
        m_run = m_connection->startRun(spec);
        m_transport->say(frame(Type::ConnectionOpened, first, u32(2)));
        QCOMPARE(m_errors.size(), 1);
    }

private:
    std::unique_ptr<GuestRun> startRun()
    {
        GuestRunSpec spec;
        spec.arguments = { "true" };
        spec.workingDirectory = "/sandbox";
        spec.areConnectionsCarried = true;
        auto run = m_connection->startRun(spec);
        settle();
        m_transport->say(frame(Type::Started, m_transport->lastFrame(Type::Start).id, u32(7)));
        return run;
    }

    std::unique_ptr<StreamRecorder> open(quint32 id)
    {
        m_transport->say(frame(Type::ConnectionOpened, id, u32(1)));
        return std::make_unique<StreamRecorder>(m_run->takeConnection());
    }

    QByteArray sent(quint32 id) const
    {
        QByteArray bytes;
        for (const auto& one : m_transport->frames()) {
            if (one.type == Type::ConnectionData && one.id == id)
                bytes += one.payload;
        }
        return bytes;
    }

    quint32 credit(quint32 id) const
    {
        quint32 bytes = 0;
        for (const auto& one : m_transport->frames()) {
            if (one.type == Type::ConnectionCredit && one.id == id)
                bytes += guest::loadU32(
                    reinterpret_cast<const unsigned char*>(one.payload.constData()));
        }
        return bytes;
    }

    int count(Type type) const
    {
        const auto frames = m_transport->frames();
        return static_cast<int>(
            std::ranges::count_if(frames, [type](const auto& one) { return one.type == type; }));
    }

    QPointer<ScriptedTransport> m_transport;
    std::unique_ptr<GuestConnection> m_connection;
    std::unique_ptr<GuestRun> m_run;
    QList<Error> m_errors;
};

QTEST_GUILESS_MAIN(TestCarriedConnection)
#include "tst_carriedconnection.moc"
