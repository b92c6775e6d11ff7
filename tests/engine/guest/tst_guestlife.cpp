// SPDX-License-Identifier: MIT
#include "engine/guest/guestbinary.h"
#include "tests/engine/guest/guestfixture.h"
#include "tests/engine/guest/rawguest.h"
#include "tests/engine/guest/scriptedguest.h"

#include <QCryptographicHash>
#include <QFile>
#include <QSignalSpy>

using namespace isol8;
using namespace isol8::test;
using namespace Qt::StringLiterals;
using guest::Outcome;
using guest::Type;

/// How guests begin, change hands and end.
class TestGuestLife : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase()
    {
        // Looked at by the last test, since a lease takes its time.
        m_leased = std::make_unique<RawGuest>(QStringList { u"--linger"_s, u"1000"_s });
        m_leased->process.write(
            RawGuest::hello() + RawGuest::startFrames(1, "setsid sleep 1000 & exec sleep 1000"));
    }
    void cleanupTestCase() { m_leased.reset(); }

    void binaryIsWhatItsHashSays()
    {
        const auto binary = guestBinary();
        QVERIFY(binary.startsWith("\x7f"
                                  "ELF"));
        QVERIFY(binary.size() < 2'000'000);
        QCOMPARE(guestHash(),
            QString::fromLatin1(
                QCryptographicHash::hash(binary, QCryptographicHash::Sha256).toHex().first(16)));
    }

    void refusesToRunAnywhereElse()
    {
        // Here, outside a namespace of its own, it would kill every process of this machine.
        const QTemporaryDir directory;
        QFile file(directory.filePath(u"guest"_s));
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write(guestBinary());
        file.close();
        file.setPermissions(QFile::ReadOwner | QFile::ExeOwner);
        for (const auto& arguments : { QStringList(), QStringList { u"--linger"_s, u"5"_s } }) {
            QProcess process;
            process.start(file.fileName(), arguments);
            process.write(RawGuest::hello());
            QVERIFY(process.waitForFinished(patienceMs));
            QCOMPARE(process.exitStatus(), QProcess::NormalExit);
            QCOMPARE(process.exitCode(), 2);
            QCOMPARE(process.readAllStandardOutput(), QByteArray());
        }
    }

    void refusesOtherArguments_data()
    {
        QTest::addColumn<QStringList>("arguments");
        QTest::newRow("word") << QStringList { u"x"_s };
        QTest::newRow("no number") << QStringList { u"--linger"_s };
        QTest::newRow("zero") << QStringList { u"--linger"_s, u"0"_s };
        QTest::newRow("text") << QStringList { u"--linger"_s, u"5s"_s };
        QTest::newRow("more") << QStringList { u"--linger"_s, u"5"_s, u"x"_s };
    }
    void refusesOtherArguments()
    {
        QFETCH(QStringList, arguments);
        RawGuest guest(arguments);
        QTRY_VERIFY_WITH_TIMEOUT(!guest.ended.isEmpty(), patienceMs);
        QVERIFY2(guest.ended.contains(u"ended with 2"_s), qPrintable(guest.ended));
    }

    void endsWithItsHost()
    {
        RawGuest guest;
        guest.process.write(RawGuest::hello()
            + RawGuest::startFrames(1, "setsid sleep 1000 & echo ready; exec sleep 1000"));
        QTRY_VERIFY_WITH_TIMEOUT(guest.answer.contains("ready"), patienceMs);
        guest.process.close();
        QTRY_VERIFY_WITH_TIMEOUT(!guest.ended.isEmpty(), patienceMs);
        QVERIFY2(guest.ended.contains(u"ended with 0"_s), qPrintable(guest.ended));
    }

    void endsOnShutdown()
    {
        RawGuest guest({ u"--linger"_s, u"1000"_s });
        guest.process.write(
            RawGuest::hello() + RawGuest::startFrames(1, "echo ready; exec sleep 1000"));
        QTRY_VERIFY_WITH_TIMEOUT(guest.answer.contains("ready"), patienceMs);
        guest.process.write(ScriptedTransport::frame(Type::Shutdown, 0));
        QTRY_VERIFY_WITH_TIMEOUT(!guest.ended.isEmpty(), patienceMs);
    }

    void spareOfTwoHostsIsNeithers()
    {
        RawGuest guest({ u"--spare"_s, u"1000"_s });
        guest.process.write(
            RawGuest::hello() + RawGuest::startFrames(1, "echo ready; exec sleep 1000"));
        QTRY_VERIFY_WITH_TIMEOUT(guest.answer.contains("ready"), patienceMs);
        guest.process.write(RawGuest::hello());
        QTRY_VERIFY_WITH_TIMEOUT(!guest.ended.isEmpty(), patienceMs);
        QVERIFY2(guest.ended.contains(u"ended with 3"_s), qPrintable(guest.ended));
        QVERIFY(guest.answer.endsWith("somebody else has claimed the sandbox, too"));
        // Nobody was answered twice.
        QCOMPARE(guest.answer.count(RawGuest::hello().last(guest::nonceBytes)), 1);
    }

    void saysNothingBeforeTheGreeting()
    {
        RawGuest guest;
        guest.process.write(ScriptedTransport::frame(Type::Ping, 1)
            + RawGuest::startFrames(1, "echo no") + RawGuest::hello()
            + ScriptedTransport::frame(Type::Ping, 2));
        QTRY_VERIFY_WITH_TIMEOUT(
            guest.answer.endsWith(ScriptedTransport::frame(Type::Pong, 2)), patienceMs);
        QCOMPARE(guest.answer.size(), qsizetype(guest::headerBytes * 2 + 24));
    }

    void malformedFramesEndIt_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        QTest::newRow("header") << QByteArray(12, '\xff');
        QTest::newRow("length") << QByteArray::fromHex("020000000000000001000100");
        QTest::newRow("unknown type") << ScriptedTransport::frame(static_cast<Type>(99), 1);
        QTest::newRow("guest's type") << ScriptedTransport::frame(Type::Pong, 1);
        QTest::newRow("short hello") << ScriptedTransport::frame(Type::Hello, 0, "x");
        QTest::newRow("short start") << ScriptedTransport::frame(Type::Start, 1, "x");
        QTest::newRow("spec too large")
            << ScriptedTransport::frame(Type::Spec, 1, QByteArray(guest::maxPayloadBytes, 0))
                   .repeated(129);
    }
    void malformedFramesEndIt()
    {
        QFETCH(QByteArray, bytes);
        RawGuest guest;
        guest.process.write(RawGuest::hello() + bytes);
        QTRY_VERIFY_WITH_TIMEOUT(!guest.ended.isEmpty(), patienceMs);
        QVERIFY2(guest.ended.contains(u"ended with 3"_s), qPrintable(guest.ended));
        QCOMPARE(guest.answer.at(guest::headerBytes + 24), char(Type::Fault));
    }

    void changesHands()
    {
        RawGuest guest({ u"--linger"_s, u"1000"_s });
        guest.process.write(RawGuest::hello()
            + RawGuest::startFrames(1, "setsid sleep 1000 & echo ready; exec yes"));
        QTRY_VERIFY_WITH_TIMEOUT(guest.answer.contains("ready"), patienceMs);
        // The old host dies in the middle of a frame. The new one hears nothing of its run.
        guest.process.write(
            ScriptedTransport::frame(Type::Stdin, 1, QByteArray(60'000, 'x')).first(30'000));
        guest.process.write(QByteArray(guest::resyncBytes, 0)
            + ScriptedTransport::frame(
                Type::Hello, 0, ScriptedTransport::u32(1) + QByteArray(16, 'N'))
            + RawGuest::startFrames(1, "set -- /proc/[0-9]*; echo $#"));
        QTRY_VERIFY_WITH_TIMEOUT(guest.answer.contains(QByteArray(16, 'N')), patienceMs);
        const auto after
            = [&] { return guest.answer.sliced(guest.answer.indexOf(QByteArray(16, 'N')) + 20); };
        // Process 1 and sh.
        QTRY_VERIFY_WITH_TIMEOUT(after().contains(ScriptedTransport::u32(2) + "2\n"), patienceMs);
        QVERIFY(!after().contains("y\ny\n"));
    }

    void connectionTakesOver()
    {
        auto* process = new GuestProcess({ u"--linger"_s, u"1000"_s });
        process->write(RawGuest::hello() + RawGuest::startFrames(1, "exec yes"));
        GuestConnection connection { std::unique_ptr<GuestTransport>(process) };
        const auto opened
            = QCoro::waitFor(connection.open(/*mayHaveHistory=*/true, /*isLeased=*/true, {}));
        QVERIFY2(opened, opened ? "" : qPrintable(opened.error().message));
        const auto scrubbed = QCoro::waitFor(connection.scrub({}));
        QVERIFY2(scrubbed, scrubbed ? "" : qPrintable(scrubbed.error().message));
    }

    void lingersWithoutAHostOnlySoLong()
    {
        RawGuest guest({ u"--linger"_s, u"1"_s });
        guest.process.write(
            RawGuest::hello() + RawGuest::startFrames(1, "echo ready; exec sleep 1000"));
        QTRY_VERIFY_WITH_TIMEOUT(guest.answer.contains("ready"), patienceMs);
        QTRY_VERIFY_WITH_TIMEOUT(!guest.ended.isEmpty(), patienceMs);
        QVERIFY2(guest.ended.contains(u"ended with 0"_s), qPrintable(guest.ended));
    }

    void losesItsRunWhenKilled()
    {
        auto guest = std::make_unique<GuestFixture>();
        QVERIFY(guest->isOpen());
        const QSignalSpy failed(&guest->connection(), &GuestConnection::failed);
        Ran ran;
        const auto run = guest->start(GuestFixture::shell("echo ready; exec sleep 1000"), ran);
        QTRY_COMPARE_WITH_TIMEOUT(ran.standardOutput, "ready\n", patienceMs);
        guest->process().kill();
        QTRY_VERIFY_WITH_TIMEOUT(ran.isFinished, patienceMs);
        QVERIFY(!ran.report);
        QCOMPARE(ran.report.error().kind, Kind::Unreachable);
        QCOMPARE(failed.size(), 1);
    }

    void staysWellAfterManyRuns()
    {
        GuestFixture guest;
        QVERIFY(guest.isOpen());
        const auto descriptors = [&] {
            return QDir(u"/proc/%1/fd"_s.arg(guest.process().guestPid()))
                .entryList(QDir::AllEntries | QDir::System | QDir::NoDotAndDotDot)
                .size();
        };
        const auto before = descriptors();
        for (int i = 0; i < 50; ++i) {
            const auto ran = guest.run(GuestFixture::shell("cat"), "x");
            QCOMPARE(ran.standardOutput, "x");
        }
        QCOMPARE(descriptors(), before);
    }

    void countsWhatTheCgroupTells_data()
    {
        QTest::addColumn<QString>("folder"); // of memory's files, of pids'
        QTest::addColumn<QString>("pidsFolder");
        QTest::addColumn<QString>("peak");
        QTest::addColumn<QString>("events");
        QTest::newRow("0") << QString() << QString() << QString() << QString();
        QTest::newRow("1") << u"memory/"_s << u"pids/"_s << u"memory.max_usage_in_bytes"_s
                           << u"memory.oom_control"_s;
        QTest::newRow("2") << QString() << QString() << u"memory.peak"_s << u"memory.events"_s;
    }
    void countsWhatTheCgroupTells()
    {
        QFETCH(QString, folder);
        QFETCH(QString, pidsFolder);
        QFETCH(QString, peak);
        QFETCH(QString, events);
        const int version = QByteArray(QTest::currentDataTag()).toInt();
        GuestFixture guest({}, QString::number(version));
        QVERIFY(guest.isOpen());
        QCOMPARE(guest.connection().cgroupVersion(), version);
        Ran ran;
        const auto run = guest.start(GuestFixture::shell("echo ready; cat"), ran);
        QTRY_COMPARE_WITH_TIMEOUT(ran.standardOutput, "ready\n", patienceMs);
        // The kernel's part, from outside.
        const auto tell = [&](const QString& name, const QByteArray& text) {
            QFile file(u"/proc/%1/root/sys/fs/cgroup/"_s.arg(guest.process().guestPid()) + name);
            QVERIFY2(file.open(QIODevice::WriteOnly), qPrintable(file.errorString()));
            file.write(text);
        };
        if (version > 0) {
            tell(folder + peak, "123456789\n");
            tell(folder + events, "oom 9\noom_kill 7\n");
            tell(pidsFolder + u"pids.events"_s, "max 14\n");
        }
        run->closeStdin();
        QTRY_VERIFY_WITH_TIMEOUT(ran.isFinished, patienceMs);
        QVERIFY(ran.report);
        QCOMPARE(ran.report->oomKills, version > 0 ? 2U : 0U);
        QCOMPARE(ran.report->pidsRefused, version > 0 ? 11U : 0U);
        if (version > 0)
            QCOMPARE(ran.report->peakMemoryBytes, 123'456'789U);
        else
            QVERIFY(ran.report->peakMemoryBytes > 0);
        // The next run does not inherit the peak.
        const auto next = guest.run(GuestFixture::shell("true"));
        QVERIFY(next.report);
        QCOMPARE(next.report->oomKills, 0U);
        QVERIFY(next.report->peakMemoryBytes < 100'000'000);
    }

    void aSilentHostLosesItsRun()
    {
        QTRY_VERIFY_WITH_TIMEOUT(
            m_leased->answer.contains(ScriptedTransport::u32(guest::RunReport::encodedBytes)
                + ScriptedTransport::u32(quint32(Outcome::Killed))),
            patienceMs);
        QCOMPARE(m_leased->ended, QString());
        // The guest itself waits on, and works.
        const auto before = m_leased->answer.size();
        m_leased->process.write(RawGuest::startFrames(2, "set -- /proc/[0-9]*; echo $#"));
        QTRY_VERIFY_WITH_TIMEOUT(
            m_leased->answer.sliced(before).contains(ScriptedTransport::u32(2) + "2\n"),
            patienceMs);
    }

private:
    std::unique_ptr<RawGuest> m_leased;
};

QTEST_GUILESS_MAIN(TestGuestLife)
#include "tst_guestlife.moc"
