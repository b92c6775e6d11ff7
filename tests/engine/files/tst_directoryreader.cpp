// SPDX-License-Identifier: MIT
#include "engine/files/directoryreader.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QTemporaryDir>
#include <QTest>

#include <sys/stat.h>

using namespace Qt::StringLiterals;
using namespace isol8;

class TestDirectoryReader : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup();
    void listsInOrder();
    void skipsWhatNobodyWants();
    void followsLinksWithinOnly();
    void skipsWhatIsNoFile();
    void readsThroughALinkToTheDirectory();
    void boundsEntries();
    void boundsBytes();
    void boundsDepth();
    void refusesNamesThatAreNoUtf8();
    void refusesWhatIsNoDirectory();
    void noticesGrowth();
    void readsAllFiles();

private:
    [[nodiscard]] QString at(const QString& name) const { return m_directory->filePath(name); }
    void write(const QString& name, const QByteArray& content = "x") const;
    [[nodiscard]] QStringList paths() const;

    std::unique_ptr<QTemporaryDir> m_directory;
};

void TestDirectoryReader::init()
{
    m_directory = std::make_unique<QTemporaryDir>();
    QVERIFY(m_directory->isValid());
}

void TestDirectoryReader::cleanup()
{
    m_directory.reset();
}

void TestDirectoryReader::write(const QString& name, const QByteArray& content) const
{
    QVERIFY(QDir().mkpath(QFileInfo(at(name)).path()));
    QFile file(at(name));
    QVERIFY(file.open(QIODevice::WriteOnly));
    QCOMPARE(file.write(content), content.size());
}

QStringList TestDirectoryReader::paths() const
{
    const auto listing = readDirectory(m_directory->path());
    QStringList found;
    if (!listing)
        return { listing.error().message };
    for (const DirectoryEntry& entry : listing->entries)
        found.append(entry.isDirectory ? entry.path + u'/' : entry.path);
    return found;
}

void TestDirectoryReader::listsInOrder()
{
    write(u"b.txt"_s, "12345");
    write(u"a/ä.txt"_s);
    write(u"a/Z.txt"_s);
    write(u"a.txt"_s);
    QVERIFY(QDir().mkpath(at(u"empty"_s)));
    QVERIFY(QFile::setPermissions(at(u"b.txt"_s), QFile::Permissions(0x7500))); // rwx and r-x.
    QCOMPARE(paths(),
        QStringList({ u"a/"_s, u"a/Z.txt"_s, u"a/ä.txt"_s, u"a.txt"_s, u"b.txt"_s, u"empty/"_s }));
    const auto listing = readDirectory(m_directory->path());
    const DirectoryEntry& file = listing->entries[4];
    QCOMPARE(file.sizeBytes, 5);
    QCOMPARE(file.mode & 0700, 0700);
    QCOMPARE(readEntry(file), QByteArray("12345"));
    QVERIFY(listing->skipped.isEmpty());
}

void TestDirectoryReader::skipsWhatNobodyWants()
{
    for (const char* name : { ".git", "node_modules", "__pycache__", ".venv", "venv", ".tox" }) {
        write(QLatin1StringView(name) + u"/file"_s);
        write(u"deep/"_s + QLatin1StringView(name) + u"/file"_s);
    }
    write(u".gitignore"_s);
    write(u"venv2"_s);
    QCOMPARE(paths(), QStringList({ u".gitignore"_s, u"deep/"_s, u"venv2"_s }));
}

void TestDirectoryReader::followsLinksWithinOnly()
{
    write(u"real.txt"_s, "real");
    write(u"sub/x"_s);
    const QTemporaryDir outside;
    QFile secret(outside.filePath(u"secret"_s));
    QVERIFY(secret.open(QIODevice::WriteOnly));
    QVERIFY(QFile::link(u"real.txt"_s, at(u"l1"_s)));
    QVERIFY(QFile::link(u"../real.txt"_s, at(u"sub/l2"_s)));
    QVERIFY(QFile::link(secret.fileName(), at(u"l3"_s)));
    QVERIFY(QFile::link(u"/etc/passwd"_s, at(u"l4"_s)));
    QVERIFY(QFile::link(u"nowhere"_s, at(u"l5"_s)));
    QVERIFY(QFile::link(u"l6"_s, at(u"l6"_s)));
    QVERIFY(QFile::link(u"sub"_s, at(u"l7"_s)));
    QVERIFY(QFile::link(u"."_s, at(u"sub/l8"_s)));
    QVERIFY(QFile::link(outside.path(), at(u"l9"_s)));
    write(u".git/config"_s);
    QVERIFY(QFile::link(u".git/config"_s, at(u"l10"_s)));
    QCOMPARE(paths(), QStringList({ u"l1"_s, u"real.txt"_s, u"sub/"_s, u"sub/l2"_s, u"sub/x"_s }));
    const auto listing = readDirectory(m_directory->path());
    QCOMPARE(listing->skipped.size(), 8);
    QCOMPARE(readEntry(listing->entries[3]), QByteArray("real"));
}

void TestDirectoryReader::skipsWhatIsNoFile()
{
    QCOMPARE(::mkfifo(QFile::encodeName(at(u"fifo"_s)).constData(), 0600), 0);
    QVERIFY(QFile::link(u"fifo"_s, at(u"link"_s)));
    write(u"file"_s);
    QCOMPARE(paths(), QStringList({ u"file"_s }));
    QCOMPARE(readDirectory(m_directory->path())->skipped.size(), 2);
}

void TestDirectoryReader::readsThroughALinkToTheDirectory()
{
    write(u"real/file"_s);
    QVERIFY(QFile::link(u"real"_s, at(u"link"_s)));
    const auto listing = readDirectory(at(u"link"_s));
    QVERIFY(listing);
    QCOMPARE(listing->entries.size(), 1);
}

void TestDirectoryReader::boundsEntries()
{
    for (int i = 0; i < 5; ++i)
        write(u"d%1/f"_s.arg(i));
    QVERIFY(readDirectory(m_directory->path(), { .maxEntries = 10 }));
    const auto listing = readDirectory(m_directory->path(), { .maxEntries = 9 });
    QCOMPARE(listing.error_or(Error {}).kind, Kind::Limit);
    QCOMPARE(readDirectory(m_directory->path(), { .maxEntries = 4 }).error_or(Error {}).kind,
        Kind::Limit);
}

void TestDirectoryReader::boundsBytes()
{
    write(u"a"_s, "12345");
    write(u"b"_s, "12345");
    QVERIFY(readDirectory(m_directory->path(), { .maxTotalBytes = 10 }));
    const auto listing = readDirectory(m_directory->path(), { .maxTotalBytes = 9 });
    QCOMPARE(listing.error_or(Error {}).kind, Kind::Limit);
    QFile sparse(at(u"c"_s));
    QVERIFY(sparse.open(QIODevice::WriteOnly));
    QVERIFY(sparse.resize(1LL << 40));
    QCOMPARE(readDirectory(m_directory->path()).error_or(Error {}).kind, Kind::Limit);
}

void TestDirectoryReader::boundsDepth()
{
    write(u"d/"_s.repeated(64) + u"f"_s);
    QVERIFY(readDirectory(m_directory->path()));
    write(u"d/"_s.repeated(65) + u"f"_s);
    QCOMPARE(readDirectory(m_directory->path()).error_or(Error {}).kind, Kind::Limit);
}

void TestDirectoryReader::refusesNamesThatAreNoUtf8()
{
    const QByteArray name = QFile::encodeName(m_directory->path()) + "/p\xe4ss";
    QCOMPARE(::mkfifo(name.constData(), 0600), 0);
    QCOMPARE(paths(), QStringList()); // Skipped for what it is.
    QCOMPARE(::remove(name.constData()), 0);
    QCOMPARE(::mkdir(name.constData(), 0700), 0);
    QCOMPARE(readDirectory(m_directory->path()).error_or(Error {}).kind, Kind::Invalid);
    QCOMPARE(::remove(name.constData()), 0);
}

void TestDirectoryReader::refusesWhatIsNoDirectory()
{
    write(u"file"_s);
    QCOMPARE(readDirectory(at(u"file"_s)).error_or(Error {}).kind, Kind::Invalid);
    QCOMPARE(readDirectory(at(u"missing"_s)).error_or(Error {}).kind, Kind::NotFound);
    QCOMPARE(readDirectory({}).error_or(Error {}).kind, Kind::NotFound);
}

void TestDirectoryReader::noticesGrowth()
{
    write(u"file"_s, "12345");
    const auto listing = readDirectory(m_directory->path());
    write(u"file"_s, "123456");
    QCOMPARE(readEntry(listing->entries[0]).error_or(Error {}).kind, Kind::Limit);
    QVERIFY(QFile::remove(at(u"file"_s)));
    QCOMPARE(readEntry(listing->entries[0]).error_or(Error {}).kind, Kind::NotFound);
    QCOMPARE(::mkfifo(QFile::encodeName(at(u"file"_s)).constData(), 0600), 0);
    QCOMPARE(readEntry(listing->entries[0]).error_or(Error {}).kind, Kind::Invalid);
}

void TestDirectoryReader::readsAllFiles()
{
    write(u"a/b"_s, "1");
    write(u"c"_s, QByteArray("\0\xff", 2));
    const QMap<QString, QByteArray> expected { { u"a/b"_s, "1" },
        { u"c"_s, QByteArray("\0\xff", 2) } };
    QCOMPARE(readDirectoryFiles(m_directory->path()), expected);
    QCOMPARE(readDirectoryFiles(at(u"missing"_s)).error_or(Error {}).kind, Kind::NotFound);
}

QTEST_GUILESS_MAIN(TestDirectoryReader)
#include "tst_directoryreader.moc"
