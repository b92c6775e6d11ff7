// SPDX-License-Identifier: MIT
#include "tests/engine/guest/scriptedconversation.h"

#include <cerrno>

using namespace isol8;
using namespace isol8::test;
using namespace Qt::StringLiterals;
using guest::Stream;
using guest::Type;

/// Files and other operations as the host's side asks for them.
class TestGuestOperations : public ScriptedConversation {
    Q_OBJECT

private Q_SLOTS:
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
};

QTEST_GUILESS_MAIN(TestGuestOperations)
#include "tst_guestoperations.moc"
