// SPDX-License-Identifier: MIT
#include "app/serve/accesslog.h"

#include <QFile>
#include <QJsonDocument>
#include <QJsonObject>
#include <QRegularExpression>
#include <QTemporaryDir>
#include <QTest>
#include <QTimeZone>

#include <csignal>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace isol8;
using namespace isol8::serve;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace {

AccessEntry plainEntry()
{
    AccessEntry entry;
    entry.time = QDateTime::fromMSecsSinceEpoch(1'500, QTimeZone::UTC);
    entry.peer = QHostAddress(u"127.0.0.1"_s);
    entry.method = "GET";
    entry.route = "/session/:id";
    entry.path = u"/session/a"_s;
    entry.status = 200;
    entry.bodyBytes = 12;
    entry.duration = 1'250us;
    return entry;
}

QJsonObject parsed(const AccessEntry& entry)
{
    return QJsonDocument::fromJson(accessLine(entry)).object();
}

QByteArray contents(const QString& path)
{
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray("unreadable");
}

} // namespace

class TestAccessLog : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void lineSaysAll();
    void lineStaysOneLine();
    void appends();
    void nothingWithoutADestination();
    void unusableDestinations_data();
    void unusableDestinations();
    void fullPipeLeavesLinesOut();
    void lineThatWasCutIsEnded();
    void fullDiskIsSurvived();

private:
    QTemporaryDir m_dir;
};

void TestAccessLog::lineSaysAll()
{
    auto entry = plainEntry();
    QCOMPARE(parsed(entry),
        (QJsonObject { { u"time"_s, u"1970-01-01T00:00:01.500Z"_s }, { u"peer"_s, u"127.0.0.1"_s },
            { u"method"_s, u"GET"_s }, { u"path"_s, u"/session/a"_s },
            { u"route"_s, u"/session/:id"_s }, { u"status"_s, 200 }, { u"bytes"_s, 12 },
            { u"durationMs"_s, 1.25 } }));
    entry.principal = Principal { u"acme"_s, false, u"key-1"_s };
    entry.executionId = u"run-1"_s;
    entry.isClientGone = true;
    entry.peer = {};
    const auto full = parsed(entry);
    QCOMPARE(full.value(u"tenant"_s), u"acme"_s);
    QCOMPARE(full.value(u"key"_s), u"key-1"_s);
    QCOMPARE(full.value(u"executionId"_s), u"run-1"_s);
    QCOMPARE(full.value(u"clientGone"_s), true);
    QCOMPARE(full.value(u"peer"_s), u"unix"_s);
    entry.principal->isMaster = true;
    QCOMPARE(parsed(entry).value(u"key"_s), u"master"_s);
    AccessEntry refused;
    refused.status = 431;
    QVERIFY(!parsed(refused).contains(u"method"_s));
    QVERIFY(!parsed(refused).contains(u"path"_s));
}

void TestAccessLog::lineStaysOneLine()
{
    auto entry = plainEntry();
    entry.method = QByteArray(100'000, 'M');
    entry.path = QString(100'000, u'\u0001') + u"\n{\"status\":1}\n"_s;
    const auto line = accessLine(entry);
    QCOMPARE(line.count('\n'), 1);
    QVERIFY(line.size() < 4096);
    entry.path = u"/a\n\"b\u2028c\\"_s;
    QCOMPARE(accessLine(entry).count('\n'), 1);
    QCOMPARE(parsed(entry).value(u"path"_s), entry.path);
}

void TestAccessLog::appends()
{
    const QString path = m_dir.filePath(u"log"_s);
    QFile before(path);
    QVERIFY(before.open(QIODevice::WriteOnly));
    before.write("before\n");
    before.close();
    AccessLog log;
    QVERIFY(log.open(path));
    log.write(plainEntry());
    QVERIFY(log.open(path));
    log.write(plainEntry());
    QCOMPARE(contents(path), "before\n" + accessLine(plainEntry()).repeated(2));
    QVERIFY(log.open(m_dir.filePath(u"new"_s)));
    struct stat entry {};
    QCOMPARE(::stat(QFile::encodeName(m_dir.filePath(u"new"_s)).constData(), &entry), 0);
    QCOMPARE(entry.st_mode & 0137, 0u); // At most rw-r-----.
}

void TestAccessLog::nothingWithoutADestination()
{
    AccessLog log;
    QVERIFY(!log.isOpen());
    log.write(plainEntry());
    QVERIFY(log.open(m_dir.filePath(u"off"_s)));
    QVERIFY(log.open({}));
    QVERIFY(!log.isOpen());
    log.write(plainEntry());
    QCOMPARE(contents(m_dir.filePath(u"off"_s)), QByteArray());
}

void TestAccessLog::unusableDestinations_data()
{
    QTest::addColumn<QString>("path");
    QTest::newRow("folder") << m_dir.path();
    QTest::newRow("no folder") << m_dir.filePath(u"no/log"_s);
    const QString fifo = m_dir.filePath(u"fifo"_s);
    QCOMPARE(::mkfifo(QFile::encodeName(fifo).constData(), 0600), 0);
    QTest::newRow("FIFO that nobody reads") << fifo;
}

void TestAccessLog::unusableDestinations()
{
    QFETCH(QString, path);
    const QString good = m_dir.filePath(u"good"_s);
    AccessLog log;
    QVERIFY(log.open(good));
    const auto opened = log.open(path);
    QVERIFY(!opened);
    QVERIFY(opened.error().message.contains(path));
    const auto before = contents(good);
    log.write(plainEntry());
    QCOMPARE(contents(good), before + accessLine(plainEntry()));
}

void TestAccessLog::fullPipeLeavesLinesOut()
{
    const QByteArray fifo = QFile::encodeName(m_dir.filePath(u"read-fifo"_s));
    QCOMPARE(::mkfifo(fifo.constData(), 0600), 0);
    const int reader = ::open(fifo.constData(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    QVERIFY(reader >= 0);
    AccessLog log;
    QVERIFY(log.open(QFile::decodeName(fifo)));
    QTest::ignoreMessage(QtWarningMsg, QRegularExpression(u"the access log takes no lines"_s));
    constexpr int lineCount = 10'000; // More than a pipe holds.
    for (int i = 0; i < lineCount; ++i)
        log.write(plainEntry());
    const auto readAll = [reader] {
        QByteArray all;
        QByteArray piece(65'536, '\0');
        for (ssize_t got = 0; (got = ::read(reader, piece.data(), size_t(piece.size()))) > 0;)
            all += piece.first(got);
        return all;
    };
    const auto kept = readAll();
    const auto keptLines = kept.count('\n');
    QCOMPARE(kept, accessLine(plainEntry()).repeated(keptLines));
    QVERIFY(keptLines < lineCount);
    log.write(plainEntry());
    const auto later = readAll().split('\n');
    QCOMPARE(later.size(), 3);
    const auto gap = QJsonDocument::fromJson(later[0]).object();
    QCOMPARE(gap.value(u"linesLeftOut"_s).toInteger(), lineCount - keptLines);
    QCOMPARE(later[1] + '\n', accessLine(plainEntry()));
    ::close(reader);
}

/// RLIMIT_FSIZE cuts a line as a full disk does.
void TestAccessLog::lineThatWasCutIsEnded()
{
    const QString path = m_dir.filePath(u"cut"_s);
    const auto line = accessLine(plainEntry());
    AccessLog log;
    QVERIFY(log.open(path));
    log.write(plainEntry());
    std::signal(SIGXFSZ, SIG_IGN);
    rlimit before {};
    QCOMPARE(::getrlimit(RLIMIT_FSIZE, &before), 0);
    const rlimit cut { rlim_t(line.size()) + 10, before.rlim_max };
    QCOMPARE(::setrlimit(RLIMIT_FSIZE, &cut), 0);
    QTest::ignoreMessage(QtWarningMsg, QRegularExpression(u"the access log takes no lines"_s));
    log.write(plainEntry());
    QCOMPARE(::setrlimit(RLIMIT_FSIZE, &before), 0);
    log.write(plainEntry());
    const auto lines = contents(path).split('\n');
    QCOMPARE(lines.size(), 5);
    QCOMPARE(lines[0] + '\n', line);
    QCOMPARE(lines[1] + '\n', line.first(10) + '\n');
    QVERIFY(lines[2].contains("\"linesLeftOut\":1"));
    QCOMPARE(lines[3] + '\n', line);
}

void TestAccessLog::fullDiskIsSurvived()
{
    AccessLog log;
    QVERIFY(log.open(u"/dev/full"_s));
    QTest::ignoreMessage(QtWarningMsg, QRegularExpression(u"the access log takes no lines"_s));
    for (int i = 0; i < 3; ++i)
        log.write(plainEntry());
    QVERIFY(log.isOpen());
}

QTEST_GUILESS_MAIN(TestAccessLog)
#include "tst_accesslog.moc"
