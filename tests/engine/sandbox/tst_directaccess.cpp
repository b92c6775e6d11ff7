// SPDX-License-Identifier: MIT
#include "engine/sandbox/directaccess.h"
#include "tests/engine/sandbox/directclient.h"

#include <QDir>
#include <QTemporaryDir>
#include <QTest>

#include <sys/stat.h>

using namespace isol8;
using namespace isol8::test;
using namespace Qt::StringLiterals;

/// Where sockets are, whether there are any, and what is left of them.
class TestDirectAccess : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init()
    {
        m_runtime = std::make_unique<QTemporaryDir>();
        qunsetenv("RUNTIME_DIRECTORY");
        qputenv("XDG_RUNTIME_DIR", m_runtime->path().toUtf8());
    }

    void onlyForADaemonOfThisMachine()
    {
        for (const auto& url : { u"tcp://localhost:2375"_s, u"https://localhost:2376"_s }) {
            const auto endpoint = docker::endpointFromUrl(url);
            QVERIFY(endpoint);
            DirectAccess access(*endpoint);
            QVERIFY(!access.isUsable());
            QVERIFY(!access.makeSocket(false));
            QVERIFY(!access.reopenSocket(u"s1"_s));
            QVERIFY(access.lastingFolders().isEmpty());
        }
        QVERIFY(!QDir(base()).exists());
    }

    void folderIsPrivate()
    {
        DirectAccess access(local());
        QVERIFY(access.isUsable());
        const auto socket = access.makeSocket(false);
        QVERIFY(socket);
        QVERIFY(socket->folder().startsWith(base() + u'/'));
        struct stat state {};
        QCOMPARE(::stat(QFile::encodeName(base()).constData(), &state), 0);
        QCOMPARE(state.st_mode & 07777, 0700U);
    }

    void serviceManagersFolderComesFirst()
    {
        const QTemporaryDir given;
        qputenv("RUNTIME_DIRECTORY", given.path().toUtf8() + ":/nowhere");
        DirectAccess access(local());
        const auto socket = access.makeSocket(false);
        QVERIFY(socket && socket->folder().startsWith(given.path() + u"/isol8/"_s));
    }

    void foldersOfOthersAreNotUsed_data()
    {
        QTest::addColumn<int>("how");
        QTest::newRow("may be entered") << 0;
        QTest::newRow("a link") << 1;
        QTest::newRow("a file") << 2;
    }
    void foldersOfOthersAreNotUsed()
    {
        QFETCH(int, how);
        const QTemporaryDir elsewhere;
        if (how == 0)
            QVERIFY(QDir().mkdir(base()) && ::chmod(QFile::encodeName(base()), 0750) == 0);
        else if (how == 1)
            QVERIFY(QFile::link(elsewhere.path(), base()));
        else
            QVERIFY(QFile(base()).open(QIODevice::WriteOnly));
        DirectAccess access(local());
        const auto socket = access.makeSocket(false);
        QVERIFY(!socket || !socket->folder().startsWith(base()));
        QVERIFY(QDir(elsewhere.path()).isEmpty());
    }

    void givesUpForGood()
    {
        DirectAccess access(local());
        QVERIFY(access.makeSocket(false));
        QTest::ignoreMessage(QtInfoMsg, "sandboxes get no direct sockets: no such thing");
        access.giveUp(u"no such thing"_s);
        access.giveUp(u"nor this"_s);
        QVERIFY(!access.isUsable());
        QVERIFY(!access.makeSocket(false));
    }

    void goneFolderIsGivenUp()
    {
        DirectAccess access(local());
        QVERIFY(access.makeSocket(false));
        QVERIFY(QDir(base()).removeRecursively());
        QTest::ignoreMessage(
            QtInfoMsg, QRegularExpression(u"sandboxes get no direct sockets: .*"_s));
        QVERIFY(!access.makeSocket(false));
    }

    void leftoversOfTheDeadAreRemoved()
    {
        DirectAccess living(local());
        const auto used = living.makeSocket(false);
        // As a process leaves them that is killed.
        QVERIFY(QDir(base()).mkdir(u"1234567890abcdef"_s));
        QVERIFY(QFile(base() + u"/1234567890abcdef/socket"_s).open(QIODevice::WriteOnly));
        QVERIFY(QDir(base()).mkdir(u"s123"_s));
        QVERIFY(QDir(base()).mkpath(u"strange/folder"_s));
        DirectAccess access(local());
        const auto socket = access.makeSocket(false);
        QVERIFY(socket);
        QVERIFY(!QDir(base() + u"/1234567890abcdef"_s).exists());
        QVERIFY(QDir(base() + u"/s123"_s).exists()); // Of a sandbox that may live.
        QVERIFY(QDir(base() + u"/strange/folder"_s).exists());
        QVERIFY(QDir(used->folder()).exists());
    }

    void lastingFoldersComeAndGo()
    {
        DirectAccess access(local());
        auto socket = access.makeSocket(true);
        const auto name = QFileInfo(socket->folder()).fileName();
        QCOMPARE(access.lastingFolders(), QStringList { name });
        QVERIFY(!access.reopenSocket(name)); // In use.
        access.removeFolder(name);
        QCOMPARE(access.lastingFolders(), QStringList { name });
        QVERIFY(socket->listen("token"));
        DirectClient guest(socket->folder());
        int fd = -1;
        connect(socket.get(), &DirectSocket::connected, this, [&fd](int given) { fd = given; });
        QVERIFY(guest.say("token") > 0);
        QTRY_VERIFY(fd >= 0);
        ::close(fd);
        socket.reset();
        DirectAccess other(local());
        socket = other.reopenSocket(name);
        QVERIFY(socket);
        socket.reset();
        access.removeFolder(name);
        QVERIFY(access.lastingFolders().isEmpty());
        QVERIFY(!access.reopenSocket(name));
    }

    void namesLeadNowhereElse_data()
    {
        QTest::addColumn<QString>("name");
        QTest::newRow("none") << QString();
        QTest::newRow("up") << u".."_s;
        QTest::newRow("beside") << u"../s1"_s;
        QTest::newRow("below") << u"s1/s1"_s;
        QTest::newRow("absolute") << u"/tmp"_s;
        QTest::newRow("line") << u"s1\n"_s;
        QTest::newRow("long") << u's' + QString(17, u'a');
        QTest::newRow("not lasting") << u"1234567890abcdef"_s;
    }
    void namesLeadNowhereElse()
    {
        QFETCH(QString, name);
        DirectAccess access(local());
        QVERIFY(access.lastingFolders().isEmpty());
        QVERIFY(QDir(base()).mkpath(u"s1/s1"_s));
        QVERIFY(QDir(m_runtime->path()).mkdir(u"s1"_s));
        QVERIFY(QDir(base()).mkdir(u"1234567890abcdef"_s));
        QVERIFY(!access.reopenSocket(name));
        access.removeFolder(name);
        QVERIFY(QDir(base() + u"/s1/s1"_s).exists());
        QVERIFY(QDir(base() + u"/1234567890abcdef"_s).exists());
        QVERIFY(QDir(m_runtime->path() + u"/s1"_s).exists());
    }

private:
    [[nodiscard]] QString base() const { return m_runtime->path() + u"/isol8"_s; }
    static docker::Endpoint local() { return {}; }

    std::unique_ptr<QTemporaryDir> m_runtime;
};

QTEST_GUILESS_MAIN(TestDirectAccess)
#include "tst_directaccess.moc"
