// SPDX-License-Identifier: MIT
#include "engine/sandbox/directsocket.h"
#include "tests/engine/guest/guestfixture.h"
#include "tests/engine/guest/rawguest.h"
#include "tests/engine/guest/scriptedguest.h"
#include "tests/engine/sandbox/directclient.h"

#include <QDir>
#include <QLocalServer>
#include <QLocalSocket>

using namespace isol8;
using namespace isol8::test;
using namespace Qt::StringLiterals;
using guest::Type;

namespace {

const QByteArray token(guest::tokenBytes, 't');

QByteArray connectFrame()
{
    return ScriptedTransport::frame(Type::Connect, 0, token);
}

QByteArray connected(quint32 number)
{
    return ScriptedTransport::frame(Type::Connected, 0, ScriptedTransport::u32(number));
}

QByteArray ping(quint32 id)
{
    return ScriptedTransport::frame(Type::Ping, id);
}

QByteArray pong(quint32 id)
{
    return ScriptedTransport::frame(Type::Pong, id);
}

/// A guest that has said Hello, and a socket that listens for it.
struct Meeting {
    explicit Meeting(const QStringList& arguments = {})
        : guest(arguments)
    {
        guest.process.write(RawGuest::hello());
    }

    [[nodiscard]] bool listenFor(const QByteArray& wanted)
    {
        direct.reset();
        socket.reset();
        auto opened = DirectSocket::reopen(guest.process.hostFolder());
        if (!opened)
            return false;
        socket = std::move(*opened);
        QObject::connect(socket.get(), &DirectSocket::connected, &guest.process,
            [this](int fd) { direct = std::make_unique<DirectClient>(fd); });
        return socket->listen(wanted).has_value();
    }
    [[nodiscard]] bool meet()
    {
        if (!listenFor(token))
            return false;
        guest.process.write(connectFrame());
        return QTest::qWaitFor([this] { return direct != nullptr; }, patienceMs)
            && QTest::qWaitFor([this] { return direct->hear() == connected(0); }, patienceMs);
    }
    [[nodiscard]] bool waitForDirect(const QByteArray& text)
    {
        return QTest::qWaitFor([&] { return direct->hear().contains(text); }, patienceMs);
    }
    [[nodiscard]] bool waitForAttached(const QByteArray& text)
    {
        return QTest::qWaitFor([&] { return guest.answer.contains(text); }, patienceMs);
    }
    [[nodiscard]] bool waitForEnd()
    {
        return QTest::qWaitFor([&] { return !guest.ended.isEmpty(); }, patienceMs);
    }

    RawGuest guest;
    std::unique_ptr<DirectSocket> socket;
    std::unique_ptr<DirectClient> direct;
};

} // namespace

/// The guest's side of the direct socket.
class TestGuestDirect : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void speaksThereAlone()
    {
        Meeting meeting;
        QVERIFY(meeting.meet());
        const auto attached = meeting.guest.answer;
        QCOMPARE(attached.size(), qsizetype(guest::headerBytes + 24)); // Hello
        QVERIFY(meeting.direct->say(ping(1) + RawGuest::startFrames(2, "echo spoken")) > 0);
        QVERIFY(meeting.waitForDirect(pong(1)));
        QVERIFY(meeting.waitForDirect("spoken\n"));
        QCOMPARE(meeting.guest.answer, attached);
        QVERIFY(meeting.direct->say(ScriptedTransport::frame(Type::Shutdown, 0)) > 0);
        QVERIFY(meeting.waitForEnd());
        QVERIFY(meeting.direct->hasEnded());
    }

    void goesOnWithoutASocket_data()
    {
        QTest::addColumn<bool>("isFile");
        QTest::newRow("none") << false;
        QTest::newRow("a file that nobody listens to") << true;
    }
    void goesOnWithoutASocket()
    {
        QFETCH(bool, isFile);
        Meeting meeting;
        const auto path = meeting.guest.process.hostFolder() + u"/socket"_s;
        if (isFile)
            QVERIFY(QFile(path).open(QIODevice::WriteOnly));
        meeting.guest.process.write(connectFrame() + ping(1));
        QVERIFY(meeting.waitForAttached(connected(isFile ? ECONNREFUSED : ENOENT) + pong(1)));
        QVERIFY(meeting.meet()); // It may be asked again.
    }

    void goesOnWhenItIsNotTaken()
    {
        Meeting meeting;
        QVERIFY(meeting.listenFor("another token is expected"));
        meeting.guest.process.write(connectFrame());
        QVERIFY(meeting.waitForAttached(connected(ECONNREFUSED)));
        meeting.guest.process.write(ping(1) + RawGuest::startFrames(2, "echo spoken"));
        QVERIFY(meeting.waitForAttached("spoken\n"));
    }

    void whatIsNoSocketIsNotTaken()
    {
        Meeting meeting;
        QLocalServer host;
        QVERIFY(host.listen(meeting.guest.process.hostFolder() + u"/socket"_s));
        meeting.guest.process.write(connectFrame());
        QTRY_VERIFY_WITH_TIMEOUT(host.hasPendingConnections(), patienceMs);
        auto* const connection = host.nextPendingConnection();
        connection->write("x");
        QVERIFY(meeting.waitForAttached(connected(ECONNREFUSED)));
    }

    void aNewHostDoesNotWaitForTheOldOnesSocket()
    {
        Meeting meeting({ u"--linger"_s, u"1000"_s });
        QLocalServer host;
        QVERIFY(host.listen(meeting.guest.process.hostFolder() + u"/socket"_s));
        meeting.guest.process.write(connectFrame());
        QTRY_VERIFY_WITH_TIMEOUT(host.hasPendingConnections(), patienceMs);
        auto* const connection = host.nextPendingConnection();
        meeting.guest.process.write(QByteArray(guest::resyncBytes, 0)
            + ScriptedTransport::frame(
                Type::Hello, 0, ScriptedTransport::u32(1) + QByteArray(16, 'N')));
        QVERIFY(meeting.waitForAttached(QByteArray(16, 'N')));
        QTRY_COMPARE_WITH_TIMEOUT(connection->state(), QLocalSocket::UnconnectedState, patienceMs);
        host.close();
        QVERIFY(meeting.meet());
    }

    void nonsenseEndsIt_data()
    {
        QTest::addColumn<QByteArray>("said");
        QTest::newRow("short token") << ScriptedTransport::frame(Type::Connect, 0, "x");
        QTest::newRow("long token") << ScriptedTransport::frame(Type::Connect, 0, token + 'x');
        QTest::newRow("guest's own frame") << connected(0);
        QTest::newRow("twice") << QByteArray();
        QTest::newRow("while it waits") << connectFrame() + connectFrame();
    }
    void nonsenseEndsIt()
    {
        QFETCH(QByteArray, said);
        Meeting meeting;
        if (said.isEmpty()) {
            QVERIFY(meeting.meet());
            QVERIFY(meeting.direct->say(connectFrame()) > 0);
            QVERIFY(meeting.waitForDirect("unexpected Connect"));
        } else {
            QVERIFY(meeting.listenFor("another token is expected"));
            meeting.guest.process.write(said);
        }
        QVERIFY(meeting.waitForEnd());
        QVERIFY2(meeting.guest.ended.contains(u"ended with 3"_s), qPrintable(meeting.guest.ended));
    }

    void endsWithEitherWay_data()
    {
        QTest::addColumn<bool>("isDirect");
        QTest::newRow("socket") << true;
        QTest::newRow("attached") << false;
    }
    void endsWithEitherWay()
    {
        QFETCH(bool, isDirect);
        Meeting meeting;
        QVERIFY(meeting.meet());
        QVERIFY(meeting.direct->say(
                    RawGuest::startFrames(1, "setsid sleep 1000 & echo ready; exec sleep 1000"))
            > 0);
        QVERIFY(meeting.waitForDirect("ready\n"));
        if (isDirect)
            meeting.direct->close();
        else
            meeting.guest.process.close();
        QVERIFY(meeting.waitForEnd());
        QVERIFY2(meeting.guest.ended.contains(u"ended with 0"_s), qPrintable(meeting.guest.ended));
    }

    void aNewHostTakesOver_data()
    {
        QTest::addColumn<bool>("isOldOneThere");
        QTest::newRow("the old one is gone") << false;
        QTest::newRow("the old one is still there") << true;
    }
    void aNewHostTakesOver()
    {
        QFETCH(bool, isOldOneThere);
        Meeting meeting({ u"--linger"_s, u"1000"_s });
        QVERIFY(meeting.meet());
        QVERIFY(meeting.direct->say(
                    RawGuest::startFrames(1, "setsid sleep 1000 & echo ready; exec yes"))
            > 0);
        QVERIFY(meeting.waitForDirect("ready\n"));
        // In the middle of a frame.
        QVERIFY(meeting.direct->say(
                    ScriptedTransport::frame(Type::Stdin, 1, QByteArray(60'000, 'x')).first(30'000))
            > 0);
        if (!isOldOneThere)
            meeting.direct->close();
        meeting.guest.process.write(QByteArray(guest::resyncBytes, 0)
            + ScriptedTransport::frame(
                Type::Hello, 0, ScriptedTransport::u32(1) + QByteArray(16, 'N'))
            + RawGuest::startFrames(1, "set -- /proc/[0-9]*; echo $#"));
        // Process 1 and sh.
        QVERIFY(meeting.waitForAttached(QByteArray(16, 'N')));
        QVERIFY(meeting.waitForAttached(ScriptedTransport::u32(2) + "2\n"));
        const auto after
            = meeting.guest.answer.sliced(meeting.guest.answer.indexOf(QByteArray(16, 'N')));
        QVERIFY(!after.contains("y\ny\n"));
        if (isOldOneThere)
            QTRY_VERIFY_WITH_TIMEOUT(meeting.direct->hasEnded(), patienceMs);
        // Which may have a socket of its own.
        QVERIFY(meeting.meet());
        QVERIFY(meeting.direct->say(ping(7)) > 0);
        QVERIFY(meeting.waitForDirect(pong(7)));
    }

    void programFindsNothingThere()
    {
        Meeting meeting;
        QVERIFY(meeting.meet());
        QVERIFY(meeting.direct->say(RawGuest::startFrames(1,
                    "cd /.isol8-host; set -- * .[!.]*; echo $*; touch x 2>&1; ls -l /proc/self/fd; "
                    "echo end"))
            > 0);
        QVERIFY(meeting.waitForDirect("end\n"));
        const auto heard = meeting.direct->hear();
        QVERIFY2(heard.contains("* .[!.]*\n"), heard.constData());
        QVERIFY2(heard.contains("Read-only file system"), heard.constData());
        QVERIFY2(!heard.contains("socket:"), heard.constData());
    }

    void everythingWorksOverIt()
    {
        auto* process = new GuestProcess;
        auto socket = DirectSocket::reopen(process->hostFolder());
        QVERIFY(socket);
        GuestConnection connection { std::unique_ptr<GuestTransport>(process) };
        connection.offer(std::move(*socket));
        const auto opened = QCoro::waitFor(connection.open(false, false, {}));
        QVERIFY2(opened, opened ? "" : qPrintable(opened.error().message));
        QVERIFY(connection.isDirect());

        QByteArray content(20'000'000, Qt::Uninitialized);
        for (qsizetype i = 0; i < content.size(); ++i)
            content[i] = char(i * 31 >> 7);
        QVERIFY(QCoro::waitFor(connection.putFile("big", content, 0644, {})));
        const auto got = QCoro::waitFor(connection.fetchFile("big", content.size(), {}));
        QVERIFY(got && *got == content);

        QByteArray output;
        Result<guest::RunReport> report = failure(Kind::Internal, u"not finished"_s);
        bool isFinished = false;
        const auto run = connection.startRun(GuestFixture::shell("cat; cat big"));
        connect(run.get(), &GuestRun::outputReceived, this,
            [&](Channel, const QByteArray& bytes) { output += bytes; });
        connect(run.get(), &GuestRun::finished, this, [&](const auto& result) {
            report = result;
            isFinished = true;
        });
        run->writeStdin(content.first(5'000'000));
        run->closeStdin();
        QTRY_VERIFY_WITH_TIMEOUT(isFinished, patienceMs);
        QVERIFY(report && report->value == 0);
        QVERIFY(output == content.first(5'000'000) + content);

        // The guest's own socket is none that a program has left.
        const auto scrubbed = QCoro::waitFor(connection.scrub({}));
        QVERIFY2(scrubbed, scrubbed ? "" : qPrintable(scrubbed.error().message));
    }

    void staysWellAfterManyMeetings()
    {
        Meeting meeting({ u"--linger"_s, u"1000"_s });
        QVERIFY(meeting.meet());
        const auto descriptors = [&] {
            return QDir(u"/proc/%1/fd"_s.arg(meeting.guest.process.guestPid()))
                .entryList(QDir::AllEntries | QDir::System | QDir::NoDotAndDotDot)
                .size();
        };
        const auto before = descriptors();
        for (char host = 'A'; host < 'A' + 20; ++host) {
            meeting.guest.process.write(QByteArray(guest::resyncBytes, 0)
                + ScriptedTransport::frame(
                    Type::Hello, 0, ScriptedTransport::u32(1) + QByteArray(16, host)));
            QVERIFY(meeting.waitForAttached(QByteArray(16, host)));
            QVERIFY(meeting.meet());
        }
        QCOMPARE(descriptors(), before);
    }
};

QTEST_GUILESS_MAIN(TestGuestDirect)
#include "tst_guestdirect.moc"
