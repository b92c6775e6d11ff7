// SPDX-License-Identifier: MIT
#include "tests/engine/guest/scriptedconversation.h"

using namespace isol8;
using namespace isol8::test;
using guest::Outcome;
using guest::Stream;
using guest::Type;

/// Runs as the host's side tells and hears of them.
class TestGuestRuns : public ScriptedConversation {
    Q_OBJECT

private Q_SLOTS:
    void sendsARun()
    {
        greet();
        auto spec = anySpec();
        spec.arguments = { "a", QByteArray(200'000, 'x') };
        spec.timeout = std::chrono::seconds(5);
        const auto run = m_connection->startRun(spec);
        const quint32 id = started(*run);
        QByteArray encoded;
        for (const auto& sent : m_transport->frames()) {
            if (sent.type == Type::Spec) {
                QCOMPARE(sent.id, id);
                encoded += sent.payload;
            }
        }
        QVERIFY(encoded.startsWith(u32(guest::StdinOpen)));
        QVERIFY(encoded.contains(spec.arguments.last()));
        QCOMPARE(m_transport->lastFrame(Type::Start).payload, u32(5000) + u32(0));
    }

    void finishesARun()
    {
        greet();
        const auto run = m_connection->startRun(anySpec());
        const quint32 id = started(*run);
        const QSignalSpy output(run.get(), &GuestRun::outputReceived);
        const QSignalSpy finished(run.get(), &GuestRun::finished);
        m_transport->say(frame(Type::Output, id, "out", Stream::Stdout)
            + frame(Type::Output, id, "err", Stream::Stderr)
            + ScriptedTransport::report(id, exited(3)));
        QCOMPARE(output.size(), 2);
        QCOMPARE(finished.size(), 1);
        const auto report = finished[0][0].value<Result<guest::RunReport>>();
        QVERIFY(report);
        QCOMPARE(report->value, 3U);
        // Late frames of it belong to nobody.
        m_transport->say(frame(Type::Output, id, "late", Stream::Stdout));
        QCOMPARE(output.size(), 2);
        QVERIFY(m_connection->isOpen());
    }

    void malformedRunFramesEndTheConversation_data()
    {
        QTest::addColumn<QByteArray>("frames"); // for id 1
        auto implausible = [](auto change) {
            guest::RunReport report = exited(0);
            change(report);
            return ScriptedTransport::report(1, report);
        };
        QTest::newRow("unknown type") << frame(static_cast<Type>(200), 1);
        QTest::newRow("host's type") << frame(Type::Start, 1);
        QTest::newRow("second greeting") << frame(Type::Hello, 0, QByteArray(24, 'x'));
        QTest::newRow("malformed header") << QByteArray(12, '\xff');
        QTest::newRow("started twice") << frame(Type::Started, 1, u32(2));
        QTest::newRow("output of no stream") << frame(Type::Output, 1, "x");
        QTest::newRow("output of stdin") << frame(Type::Output, 1, "x", Stream::Stdin);
        QTest::newRow("output of files") << frame(Type::Output, 1, "x", Stream::File);
        QTest::newRow("too much output")
            << frame(Type::Output, 1, QByteArray(guest::maxPayloadBytes, 'x'), Stream::Stdout)
                   .repeated(17);
        QTest::newRow("credit for nothing") << frame(Type::Credit, 1, u32(1), Stream::Stdin);
        QTest::newRow("credit for output") << frame(Type::Credit, 1, u32(0), Stream::Stdout);
        QTest::newRow("short credit") << frame(Type::Credit, 1, "x", Stream::Stdin);
        QTest::newRow("file's frame") << frame(Type::Done, 1, u32(0));
        QTest::newRow("short report") << frame(Type::Exited, 1, "x");
        QTest::newRow("long report") << frame(Type::Exited, 1, QByteArray(49, 0));
        QTest::newRow("outcome") << frame(Type::Exited, 1, u32(5) + QByteArray(44, 0));
        QTest::newRow("not started after all") << implausible([](auto& r) {
            r.outcome = Outcome::NotStarted;
            r.value = ENOENT;
        });
        QTest::newRow("exit code") << implausible([](auto& r) { r.value = 256; });
        QTest::newRow("signal") << implausible([](auto& r) {
            r.outcome = Outcome::Signalled;
            r.value = 65;
        });
        QTest::newRow("no signal") << implausible([](auto& r) { r.outcome = Outcome::Signalled; });
        QTest::newRow("time-out with a value") << implausible([](auto& r) {
            r.outcome = Outcome::TimedOut;
            r.value = 1;
        });
        QTest::newRow("time") << implausible([](auto& r) { r.wallMicroseconds = ~0ULL; });
        QTest::newRow("memory") << implausible([](auto& r) { r.peakMemoryBytes = ~0ULL; });
        QTest::newRow("nobody's id") << frame(Type::Output, 2, "x", Stream::Stdout);
        QTest::newRow("id 0") << frame(Type::Output, 0, "x", Stream::Stdout);
        QTest::newRow("fault") << frame(Type::Fault, 0, QByteArray(60'000, '\x1b'));
    }

    void malformedRunFramesEndTheConversation()
    {
        QFETCH(QByteArray, frames);
        greet();
        const auto run = m_connection->startRun(anySpec());
        QCOMPARE(started(*run), 1U);
        run->setOutputPaused(true);
        const QSignalSpy finished(run.get(), &GuestRun::finished);
        m_transport->say(frames);
        QCOMPARE(m_errors.size(), 1);
        QVERIFY(m_errors[0].message.size() < 4000);
        QCOMPARE(finished.size(), 1);
        QVERIFY(!finished[0][0].value<Result<guest::RunReport>>());
        QVERIFY(!m_connection->isOpen());
        QVERIFY(!m_transport || m_transport->isClosed());
    }

    void outputBeforeTheStartEndsTheConversation()
    {
        greet();
        const auto run = m_connection->startRun(anySpec());
        m_transport->say(frame(Type::Output, 1, "x", Stream::Stdout));
        QCOMPARE(m_errors.size(), 1);
    }

    void terminalHasNoStderr()
    {
        greet();
        auto spec = anySpec();
        spec.hasTerminal = true;
        const auto run = m_connection->startRun(spec);
        m_transport->say(frame(Type::Output, started(*run), "x", Stream::Stderr));
        QCOMPARE(m_errors.size(), 1);
    }

    void creditIsGivenBack()
    {
        greet();
        const auto run = m_connection->startRun(anySpec());
        const quint32 id = started(*run);
        for (int i = 0; i < 64; ++i)
            m_transport->say(
                frame(Type::Output, id, QByteArray(guest::maxPayloadBytes, 'x'), Stream::Stdout));
        QVERIFY(m_connection->isOpen());
        run->setOutputPaused(true);
        settle();
        quint32 given = 0;
        for (const auto& sent : m_transport->frames()) {
            if (sent.type == Type::Credit)
                given += guest::loadU32(
                    reinterpret_cast<const unsigned char*>(sent.payload.constData()));
        }
        QCOMPARE(given, quint32(64 * guest::maxPayloadBytes));
        // Held back while paused, given afterwards.
        const auto before = m_transport->frames().size();
        m_transport->say(frame(Type::Output, id, QByteArray(60'000, 'x'), Stream::Stderr));
        settle();
        QCOMPARE(m_transport->frames().size(), before);
        run->setOutputPaused(false);
        settle();
        const auto credit = m_transport->lastFrame(Type::Credit);
        QCOMPARE(credit.stream, Stream::Stderr);
        QCOMPARE(credit.payload, u32(60'000));
    }

    void stdinFollowsCredit()
    {
        greet();
        const auto run = m_connection->startRun(anySpec());
        const quint32 id = started(*run);
        const QSignalSpy accepted(run.get(), &GuestRun::stdinAccepted);
        const QByteArray input(guest::stdinWindowBytes + 100, 'i');
        run->writeStdin(input);
        run->closeStdin();
        run->writeStdin("after the end");
        settle();
        QCOMPARE(run->pendingStdinBytes(), 100);
        QCOMPARE(m_transport->lastFrame(Type::StdinEnd).type, Type::Padding);
        m_transport->say(frame(Type::Credit, id, u32(40), Stream::Stdin));
        settle();
        QCOMPARE(run->pendingStdinBytes(), 60);
        m_transport->say(frame(Type::Credit, id, u32(1000), Stream::Stdin));
        settle();
        QCOMPARE(run->pendingStdinBytes(), 0);
        QCOMPARE(accepted.size(), 3);
        QByteArray sent;
        for (const auto& one : m_transport->frames()) {
            if (one.type == Type::Stdin)
                sent += one.payload;
        }
        QVERIFY(sent == input);
        QCOMPARE(m_transport->frames().last().type, Type::StdinEnd);
    }

    void destroyedRunKills()
    {
        greet();
        auto run = m_connection->startRun(anySpec());
        const quint32 id = started(*run);
        run.reset();
        settle();
        QCOMPARE(m_transport->lastFrame(Type::Kill).id, id);
        m_transport->say(frame(Type::Output, id, "late", Stream::Stdout)
            + ScriptedTransport::report(id, exited(0)));
        QVERIFY(m_connection->isOpen());
    }

    void ownersMayGoInEverySignal_data()
    {
        QTest::addColumn<int>("signal");
        QTest::addColumn<bool>("isConnection");
        for (int signal = 0; signal < 5; ++signal) {
            QTest::addRow("run in signal %d", signal) << signal << false;
            QTest::addRow("connection in signal %d", signal) << signal << true;
        }
    }

    void ownersMayGoInEverySignal()
    {
        QFETCH(int, signal);
        QFETCH(bool, isConnection);
        greet();
        auto run = m_connection->startRun(anySpec());
        bool hasGone = false;
        const auto go = [&] {
            hasGone = true;
            if (isConnection)
                m_connection.reset();
            else
                run.reset();
        };
        auto* program = run.get();
        if (signal == 0)
            connect(program, &GuestRun::started, this, go);
        if (signal == 1)
            connect(program, &GuestRun::outputReceived, this, go);
        if (signal == 2)
            connect(program, &GuestRun::stdinAccepted, this, go);
        if (signal == 3)
            connect(program, &GuestRun::finished, this, go);
        if (signal == 4)
            connect(m_connection.get(), &GuestConnection::failed, this, go);
        program->writeStdin("x");
        settle();
        if (m_transport && m_connection)
            m_transport->say(frame(Type::Started, 1, u32(2))
                + frame(Type::Output, 1, "x", Stream::Stdout)
                + frame(Type::Credit, 1, u32(1), Stream::Stdin)
                + ScriptedTransport::report(1, exited(0))
                + (signal == 4 ? frame(Type::Fault, 0, "x") : QByteArray()));
        settle();
        QVERIFY(hasGone);
    }
};

QTEST_GUILESS_MAIN(TestGuestRuns)
#include "tst_guestruns.moc"
