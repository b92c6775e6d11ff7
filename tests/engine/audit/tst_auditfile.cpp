// SPDX-License-Identifier: MIT
#include "engine/audit/auditfile.h"

#include <QDir>
#include <QFile>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>
#include <QThread>
#include <QTimeZone>

#include <csignal>

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace isol8;
using namespace Qt::StringLiterals;

class TestAuditFile : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init() { m_directory = std::make_unique<QTemporaryDir>(); }
    void appendsLines();
    void isPrivate();
    void closesOffAnUnfinishedLine();
    void writesALineWholeOrNotAtAll();
    void beginsANewFileEveryDay();
    void beginsANewFileWhenFull();
    void putsNoFileOverAnother();
    void removesOldFilesOfItsOwn();
    void comesBackWhenTheDirectoryIsRemoved();
    void followsNoLink();
    void directoryMayBeALinkWhenChosen();
    void refusesWhatIsNoFile_data();
    void refusesWhatIsNoFile();
    void saysWhyItCannotWrite();
    void manyWritersMixNoLines();

private:
    [[nodiscard]] QString log() const { return m_directory->filePath(u"log"_s); }
    [[nodiscard]] QString path() const { return log() + u"/executions.log"_s; }
    [[nodiscard]] AuditFile file(AuditFile::Rules rules = {}) const { return { log(), rules }; }
    [[nodiscard]] static QByteArray content(const QString& path)
    {
        QFile file(path);
        return file.open(QIODevice::ReadOnly) ? file.readAll() : "(none)";
    }
    [[nodiscard]] QStringList names() const
    {
        return QDir(log()).entryList(QDir::Files | QDir::System, QDir::Name);
    }
    static void age(const QString& path, const QDateTime& time)
    {
        QFile file(path);
        QVERIFY(file.open(QIODevice::ReadWrite));
        QVERIFY(file.setFileTime(time, QFileDevice::FileModificationTime));
    }

    std::unique_ptr<QTemporaryDir> m_directory;
};

namespace {

QDateTime now()
{
    return QDateTime::currentDateTimeUtc();
}

} // namespace

void TestAuditFile::appendsLines()
{
    auto one = file();
    QVERIFY(one.check());
    QCOMPARE(one.append({ "a\n", "b\n" }, now()).value_or(0), 2);
    QCOMPARE(one.append({ "c\n" }, now()).value_or(0), 1);
    QCOMPARE(content(path()), "a\nb\nc\n");
    QCOMPARE(one.path(), path());
}

void TestAuditFile::isPrivate()
{
    auto one = file();
    QVERIFY(one.append({ "a\n" }, now()));
    struct stat status {};
    QCOMPARE(::stat(QFile::encodeName(path()).constData(), &status), 0);
    QCOMPARE(status.st_mode & 0777, mode_t(0600));
    QCOMPARE(::stat(QFile::encodeName(log()).constData(), &status), 0);
    QCOMPARE(status.st_mode & 0777, mode_t(0700));
}

void TestAuditFile::closesOffAnUnfinishedLine()
{
    auto one = file();
    QVERIFY(one.append({ "whole\n" }, now()));
    QFile torn(path());
    QVERIFY(torn.open(QIODevice::Append));
    torn.write("{\"executionId\":\"5");
    torn.close();
    QVERIFY(one.append({ "next\n", "last\n" }, now()));
    QCOMPARE(content(path()), "whole\n{\"executionId\":\"5\nnext\nlast\n");
}

void TestAuditFile::writesALineWholeOrNotAtAll()
{
    auto one = file();
    QVERIFY(one.append({ "first line\n" }, now()));
    const auto before = content(path());
    // The kernel writes what fits below the limit, as on a full disk.
    struct rlimit saved {};
    QCOMPARE(::getrlimit(RLIMIT_FSIZE, &saved), 0);
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    const struct rlimit small { rlim_t(before.size() + 5), saved.rlim_max };
    QCOMPARE(::setrlimit(RLIMIT_FSIZE, &small), 0);
    const auto written = one.append({ "second line\n" }, now());
    QCOMPARE(::setrlimit(RLIMIT_FSIZE, &saved), 0);
    std::signal(SIGXFSZ, handler);

    QVERIFY(!written);
    QCOMPARE(content(path()), before);
    QVERIFY(one.append({ "third line\n" }, now()));
    QCOMPARE(content(path()), before + "third line\n");
}

void TestAuditFile::beginsANewFileEveryDay()
{
    auto one = file();
    QVERIFY(one.append({ "old\n" }, now()));
    age(path(), QDateTime(QDate(2025, 11, 27), QTime(23, 59, 59), QTimeZone::UTC));
    const QDateTime nextDay(QDate(2025, 11, 28), QTime(0, 0, 1), QTimeZone::UTC);
    QVERIFY(one.append({ "new\n" }, nextDay));
    QCOMPARE(content(log() + u"/executions-2025-11-27.log"_s), "old\n");
    QCOMPARE(content(path()), "new\n");
}

void TestAuditFile::beginsANewFileWhenFull()
{
    auto one = file({ .maxFileBytes = 10 });
    QVERIFY(one.append({ "12345\n", "6789\n", "abc\n", "longer than all of it\n" }, now()));
    QCOMPARE(names().size(), 3);
    QCOMPARE(content(path()), "longer than all of it\n");
    QByteArray all;
    for (const auto& name : names())
        all += content(log() + u'/' + name);
    for (const QByteArray line : { "12345\n", "6789\n", "abc\n" })
        QVERIFY2(all.contains(line), line.constData());
}

void TestAuditFile::putsNoFileOverAnother()
{
    auto one = file();
    const QDateTime yesterday(QDate(2025, 11, 27), QTime(1, 0), QTimeZone::UTC);
    for (const QByteArray line : { "a\n", "b\n", "c\n" }) {
        QVERIFY(one.append({ line }, yesterday));
        age(path(), yesterday);
        QVERIFY(one.append({ "x\n" }, yesterday.addDays(1)));
        QVERIFY(QFile::remove(path()));
    }
    QCOMPARE(content(log() + u"/executions-2025-11-27.log"_s), "a\n");
    QCOMPARE(content(log() + u"/executions-2025-11-27.2.log"_s), "b\n");
    QCOMPARE(content(log() + u"/executions-2025-11-27.3.log"_s), "c\n");
}

void TestAuditFile::removesOldFilesOfItsOwn()
{
    QVERIFY(QDir().mkpath(log()));
    const QStringList old { u"executions-2020-01-01.log"_s, u"executions-2020-01-01.2.log"_s };
    const QStringList others { u"executions-2025-11-27.log"_s, u"executions-notes.log"_s,
        u"mine.log"_s, u"executions-2020-01-01.log.gz"_s };
    for (const auto& name : old + others) {
        QFile made(log() + u'/' + name);
        QVERIFY(made.open(QIODevice::WriteOnly));
        made.close();
        age(made.fileName(), now().addDays(name == others.first() ? -9 : -11));
    }
    QVERIFY(QFile::link(u"/nowhere"_s, log() + u"/executions-2019-01-01.log"_s));
    auto one = file({ .retentionDays = 10 });
    QVERIFY(one.append({ "a\n" }, now()));
    for (const auto& name : old)
        QVERIFY2(!names().contains(name), qPrintable(name));
    for (const auto& name : others)
        QVERIFY2(names().contains(name), qPrintable(name));
    QVERIFY(QFileInfo(log() + u"/executions-2019-01-01.log"_s).isSymLink());
}

void TestAuditFile::comesBackWhenTheDirectoryIsRemoved()
{
    auto one = file();
    QVERIFY(one.append({ "a\n" }, now()));
    QVERIFY(QDir(log()).removeRecursively());
    QVERIFY(one.append({ "b\n" }, now()));
    QCOMPARE(content(path()), "b\n");
}

void TestAuditFile::followsNoLink()
{
    const auto target = m_directory->filePath(u"target"_s);
    QVERIFY(QDir().mkpath(log()));
    QVERIFY(QFile::link(target, path()));
    auto one = file();
    QVERIFY(!one.check());
    QVERIFY(!one.append({ "a\n" }, now()));
    QVERIFY(!QFile::exists(target));
}

void TestAuditFile::directoryMayBeALinkWhenChosen()
{
    const auto target = m_directory->filePath(u"elsewhere"_s);
    QVERIFY(QDir().mkpath(target));
    QVERIFY(QFile::link(target, log()));
    QVERIFY(!file({ .isLinkFollowed = false }).check());
    QVERIFY(QDir(target).isEmpty());
    QVERIFY(file().append({ "a\n" }, now()));
    // A second name of the file could be another's.
    QCOMPARE(::link(QFile::encodeName(path()).constData(),
                 QFile::encodeName(m_directory->filePath(u"twin"_s)).constData()),
        0);
    QVERIFY(!file().append({ "b\n" }, now()));
    QCOMPARE(content(path()), "a\n");
}

void TestAuditFile::refusesWhatIsNoFile_data()
{
    QTest::addColumn<mode_t>("type");
    QTest::newRow("FIFO") << mode_t(S_IFIFO);
    QTest::newRow("socket") << mode_t(S_IFSOCK);
    QTest::newRow("directory") << mode_t(S_IFDIR);
}

void TestAuditFile::refusesWhatIsNoFile()
{
    QFETCH(mode_t, type);
    QVERIFY(QDir().mkpath(log()));
    const auto name = QFile::encodeName(path());
    QCOMPARE(type == S_IFDIR ? ::mkdir(name, 0700) : ::mknod(name, type | 0600, 0), 0);
    auto one = file();
    QVERIFY(!one.check());
    QVERIFY(!one.append({ "a\n" }, now()));
}

void TestAuditFile::saysWhyItCannotWrite()
{
    QFile blocking(log());
    QVERIFY(blocking.open(QIODevice::WriteOnly));
    blocking.close();
    const auto written = file().append({ "a\n" }, now());
    QVERIFY(!written);
    QVERIFY2(written.error().message.contains(path()), qPrintable(written.error().message));
    QCOMPARE(file().check().error().message, written.error().message);
}

void TestAuditFile::manyWritersMixNoLines()
{
    constexpr int writers = 4;
    constexpr int lines = 100;
    std::vector<std::unique_ptr<QThread>> threads;
    for (int number = 0; number < writers; ++number) {
        threads.emplace_back(QThread::create([this, number] {
            auto one = file({ .maxFileBytes = 50'000 }); // So that they also change files.
            const auto line = QByteArray(500, char('a' + number)) + '\n';
            for (int i = 0; i < lines; ++i)
                (void)one.append({ line }, now());
        }));
        threads.back()->start();
    }
    for (const auto& thread : threads)
        QVERIFY(thread->wait());
    QMap<char, int> counts;
    for (const auto& name : names()) {
        for (const auto& line : content(log() + u'/' + name).split('\n')) {
            if (line.isEmpty())
                continue;
            QCOMPARE(line.size(), 500);
            QCOMPARE(line.count(line[0]), 500);
            ++counts[line[0]];
        }
    }
    QCOMPARE(counts.size(), writers);
    for (const int count : counts)
        QCOMPARE(count, lines);
}

QTEST_GUILESS_MAIN(TestAuditFile)
#include "tst_auditfile.moc"
