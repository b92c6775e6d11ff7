// SPDX-License-Identifier: MIT
#include "engine/sandbox/directtransport.h"
#include "tests/engine/sandbox/directclient.h"

#include <QPointer>
#include <QSignalSpy>
#include <QTest>

using namespace isol8;
using namespace isol8::test;

/// Bytes and their end, over a pair of sockets.
class TestDirectTransport : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init()
    {
        int ends[2];
        QCOMPARE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
        m_transport = std::make_unique<DirectTransport>(ends[0]);
        m_guest = std::make_unique<DirectClient>(ends[1]);
        m_received.clear();
        m_closed.clear();
        connect(m_transport.get(), &GuestTransport::received, this,
            [this](const QByteArray& bytes) { m_received += bytes; });
        connect(m_transport.get(), &GuestTransport::closed, this,
            [this](const Error& error) { m_closed.append(error); });
    }
    void cleanup() { m_transport.reset(); }

    void carriesBothWays()
    {
        m_transport->write("question");
        QCOMPARE(m_guest->hear(), "question");
        QCOMPARE(m_transport->pendingBytes(), 0);
        QVERIFY(m_guest->say("answer") > 0);
        QTRY_COMPARE(m_received, "answer");
    }

    void keepsWhatTheOtherDoesNotTake()
    {
        const QSignalSpy written(m_transport.get(), &GuestTransport::written);
        QByteArray all;
        for (int i = 0; i < 64; ++i) {
            const QByteArray piece(50'000 + i, char('a' + i % 26));
            m_transport->write(piece);
            all += piece;
        }
        QVERIFY(m_transport->pendingBytes() > 0);
        QCOMPARE(written.size(), 0); // Never from within write().
        const auto pending = m_transport->pendingBytes();
        QCoreApplication::processEvents();
        QCOMPARE(m_transport->pendingBytes(), pending);
        while (m_guest->hear(10'007).size() < all.size())
            QCoreApplication::processEvents();
        QVERIFY(m_guest->hear() == all);
        QCOMPARE(m_transport->pendingBytes(), 0);
        QVERIFY(written.size() > 0);
        m_transport->write("and more");
        QVERIFY(m_guest->hear().endsWith("and more"));
    }

    void holdsBackWhilePaused()
    {
        m_transport->setReading(false);
        QByteArray piece(100'000, 'x');
        qsizetype said = 0;
        while (const auto size = std::max<qsizetype>(m_guest->say(piece), 0))
            said += size;
        QCoreApplication::processEvents();
        QVERIFY(m_received.isEmpty());
        m_transport->setReading(true);
        QTRY_COMPARE(m_received.size(), said);
    }

    void pausesFromWithinItsSignal()
    {
        connect(m_transport.get(), &GuestTransport::received, m_transport.get(),
            [this] { m_transport->setReading(false); });
        const QByteArray piece(1000, 'x');
        QVERIFY(m_guest->say(piece) > 0);
        QTRY_COMPARE(m_received.size(), 1000);
        QVERIFY(m_guest->say(piece) > 0);
        m_guest->close();
        QCoreApplication::processEvents();
        QCOMPARE(m_received.size(), 1000);
        QVERIFY(m_closed.isEmpty());
    }

    void endsAfterAllThatCame()
    {
        QCOMPARE(m_guest->say(QByteArray(150'000, 'x')), 150'000);
        m_guest->close();
        QTRY_COMPARE(m_closed.size(), 1);
        QCOMPARE(m_received.size(), 150'000);
        QVERIFY(m_closed[0].message.startsWith(u"the sandbox ended: "));
        m_transport->write("late");
        m_transport->setReading(true);
        m_transport->drain();
        QCoreApplication::processEvents();
        QCOMPARE(m_closed.size(), 1);
        QCOMPARE(m_transport->pendingBytes(), 0);
    }

    void endsOnceWhenItBreaks()
    {
        m_transport->write(QByteArray(1'000'000, 'x'));
        m_guest->close();
        m_transport->write("more");
        QTRY_COMPARE(m_closed.size(), 1);
        QCoreApplication::processEvents();
        QCOMPARE(m_closed.size(), 1);
    }

    void closesSilently()
    {
        QVERIFY(m_guest->say("unheard") > 0);
        m_transport->write("heard");
        m_transport->close();
        QCoreApplication::processEvents();
        QVERIFY(m_received.isEmpty() && m_closed.isEmpty());
        QCOMPARE(m_guest->hear(), "heard");
        QVERIFY(m_guest->hasEnded());
    }

    void isClosedFromWithinItsSignal()
    {
        connect(m_transport.get(), &GuestTransport::received, m_transport.get(),
            [this] { m_transport->close(); });
        QVERIFY(m_guest->say("x") > 0);
        m_guest->close();
        QTRY_COMPARE(m_received, "x");
        QCoreApplication::processEvents();
        QVERIFY(m_closed.isEmpty());
    }

    void drainGivesWhatIsThereAtOnce()
    {
        QCOMPARE(m_guest->say(QByteArray(150'000, 'x')), 150'000);
        m_transport->drain();
        QCOMPARE(m_received.size(), 150'000);
        QVERIFY(m_closed.isEmpty());
        QVERIFY(m_guest->say("last") > 0);
        m_guest->close();
        m_transport->drain();
        QVERIFY(m_received.endsWith("last"));
        QCOMPARE(m_closed.size(), 1);
    }

    void oneReadsWhileAnotherDoes()
    {
        int ends[2];
        QCOMPARE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
        DirectTransport other(ends[0]);
        DirectClient otherGuest(ends[1]);
        QByteArray heard;
        connect(&other, &GuestTransport::received, this,
            [&](const QByteArray& bytes) { heard += bytes; });
        QByteArray seen;
        connect(m_transport.get(), &GuestTransport::received, this, [&](const QByteArray& bytes) {
            other.drain();
            seen = QByteArray(bytes.constData(), bytes.size());
        });
        QVERIFY(m_guest->say("mine") > 0);
        QVERIFY(otherGuest.say("theirs") > 0);
        m_transport->drain();
        QCOMPARE(seen, "mine");
        QCOMPARE(heard, "theirs");
    }

private:
    std::unique_ptr<DirectTransport> m_transport;
    std::unique_ptr<DirectClient> m_guest;
    QByteArray m_received;
    QList<Error> m_closed;
};

QTEST_GUILESS_MAIN(TestDirectTransport)
#include "tst_directtransport.moc"
