// SPDX-License-Identifier: MIT
#include "engine/sandbox/directsocket.h"
#include "tests/engine/sandbox/directclient.h"

#include <QDir>
#include <QTemporaryDir>
#include <QTest>

#include <sys/stat.h>

using namespace isol8;
using namespace isol8::test;
using namespace Qt::StringLiterals;

namespace {

const QByteArray token = "0123456789abcdef";

mode_t modeOf(const QString& path)
{
    struct stat state {};
    return ::stat(QFile::encodeName(path).constData(), &state) == 0 ? state.st_mode & 07777 : 0;
}

} // namespace

/// The folder, and who may come in.
class TestDirectSocket : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init() { m_base = std::make_unique<QTemporaryDir>(); }

    void folderCanOnlyBeReadByOthers()
    {
        const auto before = ::umask(0077);
        const auto socket = make(false);
        ::umask(before);
        QVERIFY(socket);
        QVERIFY(socket->folder().startsWith(m_base->path() + u'/'));
        QCOMPARE(modeOf(socket->folder()), 0755U);
        QVERIFY(entries(socket->folder()).isEmpty());
        QVERIFY(socket->listen(token));
        QCOMPARE(modeOf(socket->folder() + u"/socket"_s), 0666U);
    }

    void baseMustBeThere()
    {
        QVERIFY(!DirectSocket::make(m_base->path() + u"/none"_s, false));
        QVERIFY(!DirectSocket::reopen(m_base->path() + u"/none"_s));
    }

    void tooLongANameIsRefused()
    {
        const auto base = m_base->path() + u'/' + QString(100, u'x');
        QVERIFY(QDir().mkpath(base));
        auto socket = DirectSocket::make(base, false);
        QVERIFY(socket);
        QVERIFY(!(*socket)->listen(token));
        socket->reset();
        QVERIFY(entries(base).isEmpty());
    }

    void acceptsWhoHasTheToken_data()
    {
        QTest::addColumn<qsizetype>("pieceBytes");
        QTest::newRow("at once") << qsizetype(100);
        QTest::newRow("in two") << qsizetype(9);
        QTest::newRow("byte by byte") << qsizetype(1);
    }
    void acceptsWhoHasTheToken()
    {
        QFETCH(qsizetype, pieceBytes);
        const auto socket = listening(false);
        DirectClient guest(socket->folder());
        QCOMPARE(guest.error(), 0);
        for (qsizetype at = 0; at < token.size(); at += pieceBytes) {
            QVERIFY(guest.say(token.mid(at, pieceBytes)) > 0);
            QCoreApplication::processEvents();
        }
        QTRY_COMPARE(m_connected.size(), 1);
        QVERIFY(guest.takeSocket());
        DirectClient ours(std::exchange(m_connected.front(), -1));
        QVERIFY(ours.say("question") > 0);
        QTRY_COMPARE(guest.hear(), "question");
        QVERIFY(guest.say("answer") > 0);
        QTRY_COMPARE(ours.hear(), "answer");
        // Nothing is left but this, and it has no name.
        QVERIFY(entries(m_base->path()).isEmpty());
        QCOMPARE(DirectClient(socket->folder()).error(), ENOENT);
        QFile sockets(u"/proc/net/unix"_s);
        QVERIFY(sockets.open(QIODevice::ReadOnly));
        QVERIFY(!sockets.readAll().contains(m_base->path().toUtf8()));
    }

    void guestThatDiesMeanwhileEndsIt()
    {
        const auto socket = listening(false);
        DirectClient guest(socket->folder());
        QVERIFY(guest.say(token) > 0);
        QTRY_COMPARE(m_connected.size(), 1);
        guest.close(); // With the socket that was passed and not taken.
        DirectClient ours(std::exchange(m_connected.front(), -1));
        QVERIFY(ours.hasEnded());
    }

    void othersAreDropped_data()
    {
        QTest::addColumn<QByteArray>("said");
        QTest::newRow("nothing") << QByteArray();
        QTest::newRow("half a token") << token.first(8);
        QTest::newRow("another token") << QByteArray(16, 'x');
        QTest::newRow("last byte") << token.first(15) + 'x';
        QTest::newRow("much") << QByteArray(100'000, '0');
    }
    void othersAreDropped()
    {
        QFETCH(QByteArray, said);
        const auto socket = listening(false);
        for (int i = 0; i < 20; ++i) {
            DirectClient other(socket->folder());
            QCOMPARE(other.error(), 0);
            if (!said.isEmpty())
                QVERIFY(other.say(said) > 0);
            if (said.size() < token.size())
                other.close();
            else
                QTRY_VERIFY(other.hasEnded());
            for (int turn = 0; turn < 3; ++turn)
                QCoreApplication::processEvents();
        }
        QVERIFY(m_connected.isEmpty());
        DirectClient guest(socket->folder());
        QVERIFY(guest.say(token) > 0);
        QTRY_COMPARE(m_connected.size(), 1);
    }

    void silentOnesKeepTheGuestOutAndAreLost()
    {
        const auto socket = listening(false);
        std::vector<std::unique_ptr<DirectClient>> others;
        others.push_back(std::make_unique<DirectClient>(socket->folder()));
        for (int turn = 0; turn < 3; ++turn)
            QCoreApplication::processEvents();
        for (int i = 0; i < 50; ++i)
            others.push_back(std::make_unique<DirectClient>(socket->folder()));
        // They fill the queue; the guest does not wait.
        const DirectClient guest(socket->folder());
        QCOMPARE(guest.error(), EAGAIN);
        socket->close();
        for (const auto& other : others)
            QVERIFY(other->error() != 0 || other->hasEnded());
        QVERIFY(entries(m_base->path()).isEmpty());
        QVERIFY(m_connected.isEmpty());
    }

    void onlyOneIsTaken()
    {
        const auto socket = listening(false);
        DirectClient guest(socket->folder());
        DirectClient second(socket->folder());
        QVERIFY(guest.say(token) > 0);
        QVERIFY(second.say(token) > 0);
        QTRY_COMPARE(m_connected.size(), 1);
        QTRY_VERIFY(second.hasEnded());
        QVERIFY(guest.takeSocket() && !guest.hasEnded());
        QCOMPARE(m_connected.size(), 1);
    }

    void itsEndLeavesNothing_data()
    {
        QTest::addColumn<int>("step");
        QTest::newRow("made") << 0;
        QTest::newRow("listening") << 1;
        QTest::newRow("somebody waits") << 2;
        QTest::newRow("half a token") << 3;
    }
    void itsEndLeavesNothing()
    {
        QFETCH(int, step);
        for (const bool isLasting : { false, true }) {
            auto socket = make(isLasting);
            if (step > 0)
                QVERIFY(socket->listen(token));
            std::unique_ptr<DirectClient> guest;
            if (step > 1)
                guest = std::make_unique<DirectClient>(socket->folder());
            if (step > 2) {
                QVERIFY(guest->say(token.first(7)) > 0);
                QCoreApplication::processEvents();
            }
            socket.reset();
            QVERIFY(!guest || guest->hasEnded());
            QVERIFY(entries(m_base->path()).isEmpty());
        }
    }

    void lastingFolderServesTheNextHost()
    {
        auto socket = listening(true);
        const auto folder = socket->folder();
        QVERIFY(!DirectSocket::reopen(folder));
        QCOMPARE(DirectSocket::reopen(folder).error().kind, Kind::Conflict);
        {
            DirectClient guest(folder);
            QVERIFY(guest.say(token) > 0);
            QTRY_COMPARE(m_connected.size(), 1);
        }
        socket.reset();
        QVERIFY(QDir(folder).exists());
        QVERIFY(entries(folder).isEmpty());

        // The next one does not come as far as to a guest, and dies.
        QFile(folder + u"/socket"_s).open(QIODevice::WriteOnly);
        auto next = DirectSocket::reopen(folder);
        QVERIFY(next);
        QVERIFY((*next)->listen(token));
        DirectClient guest(folder);
        QCOMPARE(guest.error(), 0);
        next->reset();
        QVERIFY(QDir(folder).exists());
        QVERIFY(entries(folder).isEmpty());
    }

    void linkIsNoFolder()
    {
        const auto link = m_base->path() + u"/link"_s;
        QVERIFY(QFile::link(u"/tmp"_s, link));
        QVERIFY(!DirectSocket::reopen(link));
    }

    void cleanup()
    {
        for (const int fd : std::exchange(m_connected, {})) {
            if (fd >= 0)
                ::close(fd);
        }
    }

private:
    static QStringList entries(const QString& path)
    {
        return QDir(path).entryList(
            QDir::AllEntries | QDir::Hidden | QDir::System | QDir::NoDotAndDotDot);
    }
    std::unique_ptr<DirectSocket> make(bool isLasting)
    {
        auto socket = DirectSocket::make(m_base->path(), isLasting);
        return socket ? std::move(*socket) : nullptr;
    }
    std::unique_ptr<DirectSocket> listening(bool isLasting)
    {
        auto socket = make(isLasting);
        connect(socket.get(), &DirectSocket::connected, this,
            [this](int fd) { m_connected.append(fd); });
        if (!socket->listen(token))
            qFatal("cannot listen");
        return socket;
    }

    std::unique_ptr<QTemporaryDir> m_base;
    QList<int> m_connected;
};

QTEST_GUILESS_MAIN(TestDirectSocket)
#include "tst_directsocket.moc"
