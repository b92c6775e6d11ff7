// SPDX-License-Identifier: MIT
#include "engine/sandbox/directsocket.h"
#include "tests/engine/guest/scriptedconversation.h"
#include "tests/engine/sandbox/directclient.h"

#include <QDir>
#include <QTemporaryDir>

using namespace isol8;
using namespace isol8::test;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;
using guest::Type;

/// How the host's side of a conversation moves from the attached stream to a direct socket.
class TestDirectConversation : public ScriptedConversation {
    Q_OBJECT

private Q_SLOTS:
    void init()
    {
        m_base = std::make_unique<QTemporaryDir>();
        begin({});
    }
    void cleanup()
    {
        m_connection.reset();
        QVERIFY(isNothingLeft());
    }

    void goesOnOverTheSocket()
    {
        const auto opened = greetAndConnect();
        QVERIFY(!opened->result);
        QVERIFY(m_guest->say(frame(Type::Connected, 0, u32(0))) > 0);
        QTRY_VERIFY(opened->result && *opened->result);
        QVERIFY(m_connection->isOpen() && m_connection->isDirect());
        QVERIFY(isNothingLeft()); // Before anything runs.

        const auto attached = m_transport->written();
        const auto ping = watch(m_connection->ping(60s, {}));
        QTRY_COMPARE(m_guest->hear(), frame(Type::Ping, 1));
        QVERIFY(m_guest->say(frame(Type::Pong, 1)) > 0);
        QTRY_VERIFY(ping->result && *ping->result);
        QCOMPARE(m_transport->written(), attached);
    }

    void saysNothingUntilItIsAnswered()
    {
        const auto opened = greetAndConnect();
        const auto run = m_connection->startRun(anySpec());
        const QSignalSpy finished(run.get(), &GuestRun::finished);
        settle();
        QCOMPARE(m_transport->frames().size(), 2); // Hello, Connect
        QCOMPARE(m_guest->hear(), QByteArray());
        QTRY_COMPARE(finished.size(), 1); // Not open yet.
        QVERIFY(!opened->result);
    }

    void answerInPieces()
    {
        const auto opened = greetAndConnect();
        for (const char byte : frame(Type::Connected, 0, u32(0)) + frame(Type::Fault, 0, "early")) {
            QVERIFY(m_guest->say(QByteArray(1, byte)) == 1);
            settle();
        }
        QTRY_COMPARE(m_errors.size(), 1);
        QVERIFY(opened->result && *opened->result);
        QVERIFY(m_errors[0].message.contains(u"early"_s));
    }

    void refusalChangesNothing()
    {
        const auto opened = open();
        m_transport->greet();
        settle();
        QCOMPARE(
            m_transport->lastFrame(Type::Connect).payload.size(), qsizetype(guest::tokenBytes));
        QVERIFY(!opened->result);
        m_transport->say(frame(Type::Connected, 0, u32(ENOENT)));
        QVERIFY(opened->result && *opened->result);
        QVERIFY(m_connection->isOpen() && !m_connection->isDirect());
        QVERIFY(isNothingLeft());
        const auto ping = watch(m_connection->ping(60s, {}));
        settle();
        QCOMPARE(m_transport->lastFrame(Type::Ping).id, 1U);
    }

    void nobodyComes_data()
    {
        QTest::addColumn<QByteArray>("said");
        QTest::newRow("nobody") << QByteArray();
        QTest::newRow("another token") << QByteArray(16, 'x');
        QTest::newRow("half a token") << QByteArray();
    }
    void nobodyComes()
    {
        QFETCH(QByteArray, said);
        GuestLimits limits;
        limits.offer = 20ms;
        begin(limits);
        const auto opened = open();
        m_transport->greet();
        settle();
        const auto token = m_transport->lastFrame(Type::Connect).payload;
        std::unique_ptr<DirectClient> other;
        if (QTest::currentDataTag() != "nobody"_ba) {
            other = std::make_unique<DirectClient>(m_folder);
            QVERIFY(other->say(said.isEmpty() ? token.first(8) : said) > 0);
        }
        QTRY_VERIFY(isNothingLeft());
        QVERIFY(!other || other->hasEnded());
        QVERIFY(!opened->result);
        m_transport->say(frame(Type::Connected, 0, u32(ECONNREFUSED)));
        QVERIFY(opened->result && *opened->result);
        QVERIFY(!m_connection->isDirect());
    }

    void guestThatIsGivenNoneStaysAttached_data()
    {
        QTest::addColumn<bool>("isEndFirst");
        QTest::newRow("it says so first") << false;
        QTest::newRow("the socket ends first") << true;
    }
    void guestThatIsGivenNoneStaysAttached()
    {
        // Something between the two does not let the socket through.
        QFETCH(bool, isEndFirst);
        const auto opened = greetAndConnect();
        if (isEndFirst)
            m_guest->close();
        for (int turn = 0; turn < 3; ++turn)
            QCoreApplication::processEvents();
        QVERIFY(!opened->result);
        for (const char byte : frame(Type::Connected, 0, u32(EACCES)))
            m_transport->say(QByteArray(1, byte));
        QVERIFY(opened->result && *opened->result);
        QVERIFY(m_connection->isOpen() && !m_connection->isDirect());
        QVERIFY(m_guest->hasEnded());
        const auto ping = watch(m_connection->ping(60s, {}));
        settle();
        m_transport->say(frame(Type::Pong, m_transport->lastFrame(Type::Ping).id));
        QVERIFY(ping->result && *ping->result);
        m_transport->die({ Kind::Internal, u"gone"_s });
        QCOMPARE(m_errors.size(), 1);
    }

    void silentGuestIsGivenUp()
    {
        GuestLimits limits;
        limits.offer = 5ms;
        limits.greeting = 20ms;
        begin(limits);
        const auto opened = open();
        m_transport->greet();
        QTRY_VERIFY(opened->result);
        QCOMPARE(opened->result->error().kind, Kind::Timeout);
    }

    void folderThatIsGoneChangesNothing()
    {
        QVERIFY(QDir().rmdir(m_folder));
        const auto opened = open();
        m_transport->greet();
        QVERIFY(opened->result && *opened->result);
        QCOMPARE(m_transport->frames().size(), 1);
    }

    void nonsenseEndsIt_data()
    {
        QTest::addColumn<bool>("isDirect");
        QTest::addColumn<QByteArray>("said");
        const auto error = frame(Type::Connected, 0, u32(ENOENT));
        const auto success = frame(Type::Connected, 0, u32(0));
        QTest::newRow("success on the wrong way") << false << success;
        QTest::newRow("failure on the wrong way") << true << error;
        QTest::newRow("nothing in it") << false << frame(Type::Connected, 0);
        QTest::newRow("too much in it") << true << frame(Type::Connected, 0, u32(0) + 'x');
        QTest::newRow("another frame") << false << frame(Type::Pong, 0);
        QTest::newRow("output") << true << frame(Type::Output, 1, "x", guest::Stream::Stdout);
        QTest::newRow("malformed") << true << QByteArray(12, '\xff');
        QTest::newRow("twice") << true << success + success;
        QTest::newRow("twice, attached") << false << error + error;
    }
    void nonsenseEndsIt()
    {
        QFETCH(bool, isDirect);
        QFETCH(QByteArray, said);
        std::shared_ptr<Outlet<void>> opened;
        if (isDirect) {
            opened = greetAndConnect();
            QVERIFY(m_guest->say(said) > 0);
        } else {
            opened = open();
            m_transport->greet();
            settle();
            m_transport->say(said);
        }
        QTRY_COMPARE(m_errors.size(), 1);
        QCOMPARE(m_errors[0].kind, Kind::Protocol);
        QVERIFY(opened->result);
        QVERIFY(!m_connection->isOpen());
    }

    void whatComesBesideTheSocketEndsIt()
    {
        const auto opened = greetAndConnect();
        QVERIFY(m_guest->say(frame(Type::Connected, 0, u32(0))) > 0);
        QTRY_VERIFY(opened->result && *opened->result);
        m_transport->say(frame(Type::Pong, 0));
        QCOMPARE(m_errors.size(), 1);
        QCOMPARE(m_errors[0].kind, Kind::Protocol);
        QVERIFY(m_guest->hasEnded());
    }

    void endOfEitherWayEndsIt_data()
    {
        QTest::addColumn<bool>("isDirect");
        QTest::addColumn<bool>("isOpen");
        QTest::newRow("attached, open") << false << true;
        QTest::newRow("socket, open") << true << true;
        QTest::newRow("attached, not yet") << false << false;
    }
    void endOfEitherWayEndsIt()
    {
        QFETCH(bool, isDirect);
        QFETCH(bool, isOpen);
        const auto opened = greetAndConnect();
        if (isOpen) {
            QVERIFY(m_guest->say(frame(Type::Connected, 0, u32(0))) > 0);
            QTRY_VERIFY(opened->result);
        }
        const QPointer<ScriptedTransport> attached = m_transport;
        if (isDirect)
            m_guest->close();
        else
            attached->die({ Kind::Internal, u"the sandbox ended: gone"_s });
        QTRY_COMPARE(m_errors.size(), 1);
        QVERIFY(m_errors[0].message.startsWith(u"the sandbox ended: "_s));
        QVERIFY(opened->result && opened->result->has_value() == isOpen);
        QVERIFY(!attached || attached->isClosed());
        if (!isDirect)
            QVERIFY(m_guest->hasEnded());
    }

    void lastWordsComeBeforeTheEnd()
    {
        const auto opened = greetAndConnect();
        QVERIFY(m_guest->say(frame(Type::Connected, 0, u32(0))) > 0);
        QTRY_VERIFY(opened->result);
        // Docker tells of the end before the event loop has come to the socket.
        QVERIFY(m_guest->say(frame(Type::Fault, 0, "last words")) > 0);
        m_transport->die({ Kind::Internal, u"the sandbox ended: gone"_s });
        QCOMPARE(m_errors.size(), 1);
        QVERIFY2(m_errors[0].message.contains(u"last words"_s), qPrintable(m_errors[0].message));
    }

    void shutdownGoesOutAtOnce()
    {
        const auto opened = greetAndConnect();
        QVERIFY(m_guest->say(frame(Type::Connected, 0, u32(0))) > 0);
        QTRY_VERIFY(opened->result);
        m_connection->shutdown();
        m_connection.reset();
        QCOMPARE(m_guest->hear(), frame(Type::Shutdown, 0));
        QVERIFY(m_guest->hasEnded());
    }

    void pingsOfALeaseGoOverTheSocket()
    {
        GuestLimits limits;
        limits.pingInterval = 5ms;
        begin(limits);
        const auto opened = watch(m_connection->open(true, /*isLeased=*/true, {}));
        settle();
        m_transport->greet();
        connectGuest();
        QVERIFY(m_guest->say(frame(Type::Connected, 0, u32(0))) > 0);
        QTRY_VERIFY(opened->result);
        const auto attached = m_transport->written();
        for (int i = 1; i < 5; ++i) {
            QTRY_VERIFY(m_guest->hear().size() >= i * qsizetype(guest::headerBytes));
            QVERIFY(m_guest->say(frame(Type::Pong, 0)) > 0);
        }
        QCOMPARE(m_transport->written(), attached);
        QVERIFY(m_connection->isOpen());
    }

    void cancelLeavesNothing_data()
    {
        QTest::addColumn<int>("step");
        QTest::newRow("greeting") << 0;
        QTest::newRow("listening") << 1;
        QTest::newRow("connected") << 2;
    }
    void cancelLeavesNothing()
    {
        QFETCH(int, step);
        CancelToken cancel;
        const auto opened = watch(m_connection->open(false, false, cancel));
        settle();
        if (step > 0) {
            m_transport->greet();
            settle();
        }
        if (step > 1)
            connectGuest();
        cancel.cancel();
        QVERIFY(opened->result && !*opened->result);
        QCOMPARE(opened->result->error().kind, Kind::Cancelled);
        QVERIFY(isNothingLeft());
        if (step > 1)
            QVERIFY(m_guest->hasEnded());
    }

    void muchGoesBothWays()
    {
        const auto opened = greetAndConnect();
        QVERIFY(m_guest->say(frame(Type::Connected, 0, u32(0))) > 0);
        QTRY_VERIFY(opened->result);
        QByteArray content(3'000'000, Qt::Uninitialized);
        for (qsizetype i = 0; i < content.size(); ++i)
            content[i] = char(i * 7 / 3);
        const auto put = watch(m_connection->putFile("x", content, 0644, {}));
        const auto get = watch(m_connection->fetchFile("y", content.size(), {}));
        // A guest that echoes what is put.
        const auto parser = std::make_unique<guest::FrameParser>();
        QByteArray outgoing
            = frame(Type::FileStat, 2, ScriptedTransport::entry('f', quint64(content.size()), {}));
        qsizetype parsed = 0;
        while (!put->result || !get->result) {
            QVERIFY(m_errors.isEmpty());
            const auto heard = m_guest->hear();
            const auto* data = reinterpret_cast<const unsigned char*>(heard.constData()) + parsed;
            auto size = std::size_t(heard.size() - parsed);
            parsed = heard.size();
            while (parser->feed(data, size) == guest::FrameParser::Status::Frame) {
                const auto& header = parser->header();
                const QByteArray payload(
                    reinterpret_cast<const char*>(parser->payload()), header.length);
                if (header.type == Type::FileData)
                    outgoing += frame(Type::FileData, 2, payload);
                else if (header.type == Type::FileEnd)
                    outgoing += frame(Type::Done, 1, u32(0)) + frame(Type::Done, 2, u32(0));
                else if (header.type == Type::Credit && header.id == 2)
                    outgoing += frame(Type::Credit, 1, payload, guest::Stream::File);
            }
            const auto said = m_guest->say(outgoing);
            outgoing.remove(0, std::max<qsizetype>(said, 0));
            settle();
        }
        QVERIFY(*put->result && *get->result);
        QVERIFY(**get->result == content);
    }

private:
    void begin(const GuestLimits& limits)
    {
        m_guest.reset();
        connectAnew(limits);
        auto socket = DirectSocket::make(m_base->path(), /*isLasting=*/false);
        QVERIFY(socket);
        m_folder = (*socket)->folder();
        m_connection->offer(std::move(*socket));
    }
    void connectGuest()
    {
        settle();
        m_guest = std::make_unique<DirectClient>(m_folder);
        QCOMPARE(m_guest->error(), 0);
        QVERIFY(m_guest->say(m_transport->lastFrame(Type::Connect).payload) > 0);
        QVERIFY(QTest::qWaitFor([this] { return m_guest->takeSocket(); }, patienceMs));
        QVERIFY(isNothingLeft());
    }
    std::shared_ptr<Outlet<void>> greetAndConnect()
    {
        auto opened = open();
        m_transport->greet();
        connectGuest();
        return opened;
    }
    [[nodiscard]] bool isNothingLeft() const { return QDir(m_base->path()).isEmpty(); }

    std::unique_ptr<QTemporaryDir> m_base;
    QString m_folder;
    std::unique_ptr<DirectClient> m_guest;
};

QTEST_GUILESS_MAIN(TestDirectConversation)
#include "tst_directconversation.moc"
