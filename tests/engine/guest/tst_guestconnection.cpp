// SPDX-License-Identifier: MIT
#include "tests/engine/guest/scriptedconversation.h"

using namespace isol8;
using namespace isol8::test;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;
using guest::Type;

/// Greeting, silence, batches and the end of a conversation.
class TestGuestConnection : public ScriptedConversation {
    Q_OBJECT

private Q_SLOTS:
    void opens()
    {
        const auto opened = open();
        QCOMPARE(m_transport->frames().size(), 1);
        QCOMPARE(
            m_transport->written().size(), qsizetype(guest::headerBytes + 4 + guest::nonceBytes));
        QVERIFY(!m_connection->isOpen());
        m_transport->greet();
        QVERIFY(opened->result && *opened->result);
        QVERIFY(m_connection->isOpen());
        QCOMPARE(m_connection->cgroupVersion(), 2);
    }

    void resynchronises()
    {
        const auto opened = open(/*mayHaveHistory=*/true);
        QVERIFY(m_transport->written().startsWith(QByteArray(guest::resyncBytes, 0)));
        // Whatever an earlier conversation left, also pieces of greetings and the nonce itself.
        const auto nonce = m_transport->lastFrame(Type::Hello).payload.mid(4);
        m_transport->say(frame(Type::Output, 3, QByteArray(50'000, 'x')).chopped(17));
        m_transport->say(nonce);
        m_transport->say(frame(Type::Hello, 0, u32(1) + QByteArray(16, 'n') + u32(2)));
        m_transport->say(QByteArray(2'000'000, 'z') + frame(Type::Hello, 0, u32(1)));
        QVERIFY(!opened->result);
        const auto answer = frame(Type::Hello, 0, u32(1) + nonce + u32(1));
        for (const char byte : answer)
            m_transport->say(QByteArray(1, byte));
        QVERIFY(opened->result && *opened->result);
        QCOMPARE(m_connection->cgroupVersion(), 1);
    }

    void framesAfterTheGreetingCount()
    {
        const auto opened = open();
        const auto nonce = m_transport->lastFrame(Type::Hello).payload.mid(4);
        m_transport->say(
            frame(Type::Hello, 0, u32(1) + nonce + u32(1)) + frame(Type::Fault, 0, "early"));
        QVERIFY(opened->result && *opened->result);
        QVERIFY(!m_connection->isOpen());
        QVERIFY(m_errors.last().message.contains(u"early"_s));
    }

    void refusesAnotherVersion()
    {
        const auto opened = open();
        m_transport->greet(2);
        QVERIFY(opened->result && !*opened->result);
        QCOMPARE(opened->result->error().kind, Kind::Protocol);
        QCOMPARE(m_errors.size(), 1);
    }

    void openIsCancelled()
    {
        CancelToken cancel;
        const auto opened = watch(m_connection->open(false, false, cancel));
        cancel.cancel();
        QVERIFY(opened->result && !*opened->result);
        QCOMPARE(opened->result->error().kind, Kind::Cancelled);
        QVERIFY(!m_connection->isOpen());
    }

    void openFailsWithTheTransport()
    {
        const auto opened = open();
        m_transport->die({ Kind::Unreachable, u"gone"_s });
        QVERIFY(opened->result && !*opened->result);
        QCOMPARE(opened->result->error().kind, Kind::Unreachable);
    }

    void nothingWorksBeforeOpen()
    {
        const auto run = m_connection->startRun(anySpec());
        const QSignalSpy finished(run.get(), &GuestRun::finished);
        const auto put = watch(m_connection->putFile("x", "y", 0644, {}));
        QVERIFY(put->result && !*put->result);
        QTRY_COMPARE(finished.size(), 1);
        QVERIFY(m_transport->frames().isEmpty());
    }

    void batchesFrames()
    {
        greet();
        const auto before = m_transport->written().size();
        const auto put = watch(m_connection->putFile("main.py", "print(1)", 0644, {}));
        const auto run = m_connection->startRun(anySpec());
        QCOMPARE(m_transport->written().size(), before);
        settle();
        const auto frames = m_transport->frames();
        QList<Type> types;
        for (const auto& one : frames)
            types.append(one.type);
        QCOMPARE(types,
            (QList<Type> { Type::Hello, Type::FilePut, Type::FileData, Type::FileEnd, Type::Spec,
                Type::Start }));
    }

    void silenceHasLimits_data()
    {
        QTest::addColumn<int>("step");
        QTest::newRow("greeting") << 0;
        QTest::newRow("pong") << 1;
        QTest::newRow("file operation") << 2;
        QTest::newRow("upload") << 3;
        QTest::newRow("scrub") << 4;
    }

    void silenceHasLimits()
    {
        QFETCH(int, step);
        GuestLimits limits;
        (step == 0 ? limits.greeting : step == 1 ? limits.silence : limits.inactivity) = 50ms;
        limits.pingInterval = 10ms;
        connectAnew(limits);
        const auto opened = watch(m_connection->open(false, /*isLeased=*/step == 1, {}));
        settle();
        if (step > 0)
            m_transport->greet();
        std::shared_ptr<Outlet<void>> outlet = opened;
        if (step == 2)
            outlet = watch(m_connection->removeFile("x", {}));
        if (step == 3)
            outlet = watch(m_connection->putFile("x", QByteArray(1'000'000, 'x'), 0644, {}));
        if (step == 4)
            outlet = watch(m_connection->scrub({}));
        QTRY_COMPARE_WITH_TIMEOUT(m_errors.size(), 1, patienceMs);
        QCOMPARE(m_errors[0].kind, Kind::Timeout);
        QVERIFY(outlet->result);
        QCOMPARE(outlet->result->has_value(), step == 1);
        QVERIFY(!m_connection->isOpen());
    }

    void answeredPingsKeepItOpen()
    {
        GuestLimits limits;
        limits.pingInterval = 5ms;
        connectAnew(limits);
        const auto opened = watch(m_connection->open(false, /*isLeased=*/true, {}));
        settle();
        m_transport->greet();
        for (int pings = 1; pings <= 20; ++pings) {
            QTRY_VERIFY_WITH_TIMEOUT(m_transport->frames().size() > pings, patienceMs);
            m_transport->say(frame(Type::Pong, 0));
        }
        QVERIFY(m_connection->isOpen());
    }

    void scrubNamesWhatWasLeft()
    {
        greet();
        const auto scrubbed = watch(m_connection->scrub({}));
        m_transport->say(frame(Type::Scrubbed, 1, u32(EBUSY) + "a process is left"));
        QVERIFY(scrubbed->result && !*scrubbed->result);
        QCOMPARE(scrubbed->result->error().kind, Kind::Internal);
        QVERIFY(scrubbed->result->error().message.contains(u"a process is left"_s));
    }

    void shutdownIsSent()
    {
        greet();
        const QPointer<ScriptedTransport> transport = m_transport;
        m_connection->shutdown();
        m_connection.reset(); // at once: it still goes out
        QVERIFY(transport);
        QCOMPARE(transport->lastFrame(Type::Shutdown).type, Type::Shutdown);
    }
};

QTEST_GUILESS_MAIN(TestGuestConnection)
#include "tst_guestconnection.moc"
