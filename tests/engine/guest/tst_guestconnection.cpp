// SPDX-License-Identifier: MIT
#include "tests/engine/guest/scriptedguest.h"

#include <QCoroTask>
#include <QSignalSpy>
#include <QTest>

#include <cerrno>

using namespace isol8;
using namespace isol8::test;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;
using guest::Outcome;
using guest::Stream;
using guest::Type;

namespace {

QByteArray u32(quint32 value)
{
    return ScriptedTransport::u32(value);
}

QByteArray frame(
    Type type, quint32 id, const QByteArray& payload = {}, Stream stream = Stream::None)
{
    return ScriptedTransport::frame(type, id, payload, stream);
}

constexpr int patienceMs = 60'000;

/// Where a task leaves its result.
template <typename T> struct Outlet {
    std::optional<Result<T>> result;
};

template <typename T> QCoro::Task<> collect(Task<T> task, std::shared_ptr<Outlet<T>> outlet)
{
    outlet->result.emplace(co_await task);
}

template <typename T> std::shared_ptr<Outlet<T>> watch(Task<T> task)
{
    auto outlet = std::make_shared<Outlet<T>>();
    collect(std::move(task), outlet);
    return outlet;
}

guest::RunReport exited(quint32 code)
{
    guest::RunReport report;
    report.outcome = Outcome::Exited;
    report.value = code;
    return report;
}

GuestRunSpec anySpec()
{
    GuestRunSpec spec;
    spec.arguments = { "true" };
    spec.workingDirectory = "/sandbox";
    spec.isStdinOpen = true;
    return spec;
}

} // namespace

/// The host's side against a guest that does what the test tells it, however wrong.
class TestGuestConnection : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init() { connectAnew(); }
    void cleanup() { m_connection.reset(); }

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

    void connectionGoesDuringAnOperation()
    {
        greet();
        const auto fetched = watch(m_connection->fetchFile("x", 10, {}));
        const auto scrubbed = watch(m_connection->scrub({}));
        auto run = m_connection->startRun(anySpec());
        const QSignalSpy finished(run.get(), &GuestRun::finished);
        m_connection.reset();
        QVERIFY(fetched->result && !*fetched->result);
        QVERIFY(scrubbed->result && !*scrubbed->result);
        QCOMPARE(finished.size(), 1);
        run->writeStdin("x");
        run->kill();
    }

    void transportDiesDuringAnOperation()
    {
        greet();
        const auto fetched = watch(m_connection->fetchFile("x", 10, {}));
        m_transport->die({ Kind::Unreachable, u"gone"_s });
        QVERIFY(fetched->result);
        QCOMPARE(fetched->result->error().message, u"gone"_s);
        const auto next = watch(m_connection->fetchFile("x", 10, {}));
        QVERIFY(next->result && next->result->error().message == u"gone"_s);
    }

    void fetches()
    {
        greet();
        const auto fetched = watch(m_connection->fetchFile("/sandbox/x", 8, {}));
        settle();
        const auto get = m_transport->lastFrame(Type::FileGet);
        QCOMPARE(get.payload, u32(8) + u32(0) + "/sandbox/x");
        m_transport->say(frame(Type::FileStat, get.id, ScriptedTransport::entry('f', 8, {}))
            + frame(Type::FileData, get.id, "1234") + frame(Type::FileData, get.id, "5678")
            + frame(Type::Done, get.id, u32(0)));
        QVERIFY(fetched->result && *fetched->result);
        QCOMPARE(**fetched->result, "12345678");
    }

    void malformedFileAnswersEndTheConversation_data()
    {
        QTest::addColumn<QByteArray>("frames"); // for a fetch of at most 8 bytes with id 1
        const auto stat = frame(Type::FileStat, 1, ScriptedTransport::entry('f', 8, {}));
        QTest::newRow("more than asked for") << stat + frame(Type::FileData, 1, "123456789");
        QTest::newRow("success without anything") << frame(Type::Done, 1, u32(0));
        QTest::newRow("state twice") << stat + stat;
        QTest::newRow("named state")
            << frame(Type::FileStat, 1, ScriptedTransport::entry('f', 8, "x"));
        QTest::newRow("kind") << frame(Type::FileStat, 1, ScriptedTransport::entry('x', 8, {}));
        QTest::newRow("size") << frame(
            Type::FileStat, 1, ScriptedTransport::entry('f', 1ULL << 63, {}));
        QTest::newRow("short state") << frame(Type::FileStat, 1, "f");
        QTest::newRow("entry") << frame(Type::FileEntry, 1, ScriptedTransport::entry('f', 8, "x"));
        QTest::newRow("credit") << frame(Type::Credit, 1, u32(0), Stream::File);
        QTest::newRow("scrubbed") << frame(Type::Scrubbed, 1, u32(0));
        QTest::newRow("output") << frame(Type::Output, 1, "x", Stream::Stdout);
        QTest::newRow("short verdict") << frame(Type::Done, 1, "x");
        QTest::newRow("errno") << frame(Type::Done, 1, u32(5000));
    }
    void malformedFileAnswersEndTheConversation()
    {
        QFETCH(QByteArray, frames);
        greet();
        const auto fetched = watch(m_connection->fetchFile("x", 8, {}));
        m_transport->say(frames);
        QCOMPARE(m_errors.size(), 1);
        QCOMPARE(m_errors[0].kind, Kind::Protocol);
        QVERIFY(fetched->result && !*fetched->result);
    }

    void listsAreBounded()
    {
        greet();
        const auto listed = watch(m_connection->listDirectory("/sandbox", {}));
        QByteArray entries;
        for (int i = 0; i < 1000; ++i)
            entries += frame(
                Type::FileEntry, 1, ScriptedTransport::entry('f', 1, QByteArray::number(i)));
        for (int i = 0; i < 101; ++i)
            m_transport->say(entries);
        QVERIFY(listed->result && !*listed->result);
        QCOMPARE(listed->result->error().kind, Kind::Limit);
        settle();
        QCOMPARE(m_transport->lastFrame(Type::FileAbort).id, 1U);
        QVERIFY(m_connection->isOpen());
    }

    void hostileNamesEndTheConversation_data()
    {
        QTest::addColumn<QByteArray>("name");
        QTest::newRow("none") << QByteArray();
        QTest::newRow("dot") << QByteArray(".");
        QTest::newRow("up") << QByteArray("..");
        QTest::newRow("slash") << QByteArray("a/b");
        QTest::newRow("zero") << QByteArray("a\0b", 3);
        QTest::newRow("long") << QByteArray(256, 'x');
    }
    void hostileNamesEndTheConversation()
    {
        QFETCH(QByteArray, name);
        greet();
        const auto listed = watch(m_connection->listDirectory("/sandbox", {}));
        m_transport->say(frame(Type::FileEntry, 1, ScriptedTransport::entry('f', 1, name)));
        QCOMPARE(m_errors.size(), 1);
        QVERIFY(listed->result && !*listed->result);
    }

    void errorsTellTheirKind_data()
    {
        QTest::addColumn<int>("number");
        QTest::addColumn<Kind>("kind");
        QTest::newRow("ENOENT") << ENOENT << Kind::NotFound;
        QTest::newRow("EACCES") << EACCES << Kind::Denied;
        QTest::newRow("EXDEV") << EXDEV << Kind::Denied;
        QTest::newRow("ENOSPC") << ENOSPC << Kind::Limit;
        QTest::newRow("EFBIG") << EFBIG << Kind::Limit;
        QTest::newRow("EEXIST") << EEXIST << Kind::Conflict;
        QTest::newRow("ENOTDIR") << ENOTDIR << Kind::Conflict;
        QTest::newRow("EINVAL") << EINVAL << Kind::Invalid;
        QTest::newRow("EIO") << EIO << Kind::Internal;
    }
    void errorsTellTheirKind()
    {
        QFETCH(int, number);
        QFETCH(Kind, kind);
        greet();
        const auto stat = watch(m_connection->statFile("a\x1b[2J", {}));
        m_transport->say(frame(Type::Done, 1, u32(quint32(number)) + "\x1b]0;title"));
        QVERIFY(stat->result && !*stat->result);
        QCOMPARE(stat->result->error().kind, kind);
        QVERIFY(!stat->result->error().message.contains(u'\x1b'));
        QVERIFY(m_connection->isOpen());
    }

    void interruptedOperationIsRepeated()
    {
        greet();
        const auto put = watch(m_connection->putFile("x", "content", 0644, {}));
        for (quint32 id = 1; id <= 3; ++id) {
            settle();
            QCOMPARE(m_transport->lastFrame(Type::FileEnd).id, id);
            QVERIFY(!put->result);
            m_transport->say(frame(Type::Done, id, u32(id < 3 ? EINTR : 0)));
        }
        QVERIFY(put->result && *put->result);
    }

    void interruptedForeverFails()
    {
        greet();
        const auto put = watch(m_connection->putFile("x", "content", 0644, {}));
        for (quint32 id = 1; id <= 4; ++id)
            m_transport->say(frame(Type::Done, id, u32(EINTR)));
        QVERIFY(put->result && !*put->result);
        QVERIFY(m_connection->isOpen());
    }

    void putsFollowCredit()
    {
        greet();
        const QByteArray content(guest::fileWindowBytes + 1, 'c');
        const auto put = watch(m_connection->putFile("x", content, 0600, {}));
        settle();
        QCOMPARE(m_transport->lastFrame(Type::FileEnd).type, Type::Padding);
        m_transport->say(frame(Type::Credit, 1, u32(1), Stream::File));
        settle();
        QCOMPARE(m_transport->lastFrame(Type::FileData).payload, "c");
        QCOMPARE(m_transport->lastFrame(Type::FileEnd).id, 1U);
        m_transport->say(frame(Type::Done, 1, u32(0)));
        QVERIFY(put->result && *put->result);
    }

    void putDoneTooEarlyEndsTheConversation()
    {
        greet();
        const auto put = watch(
            m_connection->putFile("x", QByteArray(guest::fileWindowBytes + 1, 'c'), 0600, {}));
        m_transport->say(frame(Type::Done, 1, u32(0)));
        QCOMPARE(m_errors.size(), 1);
        QVERIFY(put->result && !*put->result);
    }

    void cancelsEachOperation()
    {
        greet();
        CancelToken cancel;
        const auto put
            = watch(m_connection->putFile("x", QByteArray(1'000'000, 'c'), 0600, cancel));
        const auto fetched = watch(m_connection->fetchFile("x", 8, cancel));
        const auto listed = watch(m_connection->listDirectory("x", cancel));
        const auto removed = watch(m_connection->removeFile("x", cancel));
        const auto waiting = watch(m_connection->makeDirectory("x", 0755, cancel));
        const auto scrubbed = watch(m_connection->scrub(cancel));
        cancel.cancel();
        QVERIFY(put->result && put->result->error().kind == Kind::Cancelled);
        QVERIFY(fetched->result && fetched->result->error().kind == Kind::Cancelled);
        QVERIFY(listed->result && listed->result->error().kind == Kind::Cancelled);
        QVERIFY(removed->result && removed->result->error().kind == Kind::Cancelled);
        QVERIFY(waiting->result && waiting->result->error().kind == Kind::Cancelled);
        QVERIFY(scrubbed->result && scrubbed->result->error().kind == Kind::Cancelled);
        settle();
        int aborts = 0;
        for (const auto& one : m_transport->frames())
            aborts += one.type == Type::FileAbort;
        QCOMPARE(aborts, 4);
        const auto late = watch(m_connection->renameFile("a", "b", cancel));
        QVERIFY(late->result && late->result->error().kind == Kind::Cancelled);
        // The places are free again.
        const auto next = watch(m_connection->renameFile("a", "b", {}));
        settle();
        const auto rename = m_transport->lastFrame(Type::FileRename);
        QCOMPARE(rename.payload, u32(1) + "ab");
        m_transport->say(frame(Type::Done, rename.id, u32(0)));
        QVERIFY(next->result && *next->result);
    }

    void boundsOpenOperations()
    {
        greet();
        QList<std::shared_ptr<Outlet<void>>> all;
        for (int i = 0; i < 50; ++i)
            all.append(watch(m_connection->removeFile("x", {})));
        settle();
        for (int done = 0; done < 50; ++done) {
            const auto frames = m_transport->frames();
            QCOMPARE(frames.size() - 1, std::min(50, done + guest::maxFileOperations));
            m_transport->say(frame(Type::Done, frames[done + 1].id, u32(0)));
            settle();
        }
        for (const auto& one : all)
            QVERIFY(one->result && *one->result);
    }

    void refusesImpossiblePaths()
    {
        greet();
        for (const auto& path : { QByteArray(), QByteArray("a\0b", 3), QByteArray(5000, 'x') }) {
            const auto put = watch(m_connection->putFile(path, {}, 0644, {}));
            QVERIFY(put->result && !*put->result);
            QCOMPARE(put->result->error().kind, Kind::Invalid);
        }
        settle();
        QCOMPARE(m_transport->frames().size(), 1);
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

private:
    void connectAnew(const GuestLimits& limits = {})
    {
        m_errors.clear();
        auto transport = std::make_unique<ScriptedTransport>();
        m_transport = transport.get();
        m_connection = std::make_unique<GuestConnection>(std::move(transport), limits);
        connect(m_connection.get(), &GuestConnection::failed, this,
            [this](const Error& error) { m_errors.append(error); });
    }

    std::shared_ptr<Outlet<void>> open(bool mayHaveHistory = false)
    {
        auto opened = watch(m_connection->open(mayHaveHistory, /*isLeased=*/false, {}));
        settle();
        return opened;
    }

    void greet()
    {
        const auto opened = open();
        m_transport->greet();
        QVERIFY(opened->result && *opened->result);
    }

    /// Says that @p run has started; its id.
    quint32 started(GuestRun& run)
    {
        const QSignalSpy spy(&run, &GuestRun::started);
        settle();
        const quint32 id = m_transport->lastFrame(Type::Start).id;
        m_transport->say(frame(Type::Started, id, u32(2)));
        return spy.size() == 1 ? id : 0;
    }

    /// Everything queued has happened.
    static void settle()
    {
        for (int i = 0; i < 3; ++i)
            QCoreApplication::processEvents();
    }

    QPointer<ScriptedTransport> m_transport;
    std::unique_ptr<GuestConnection> m_connection;
    QList<Error> m_errors;
};

QTEST_GUILESS_MAIN(TestGuestConnection)
#include "tst_guestconnection.moc"
