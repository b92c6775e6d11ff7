// SPDX-License-Identifier: MIT
#include "engine/files/tar.h"

#include <QBuffer>
#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

#include <sys/stat.h>

using namespace Qt::StringLiterals;
using namespace isol8;

class TestTar : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void writesWhatTarReads();
    void ownersAndModes();
    void sameEntriesSameBytes();
    void padsToBlocks_data();
    void padsToBlocks();
    void readsFromFiles();
    void refusesBadPaths_data();
    void refusesBadPaths();
    void refusesBadLinksAndOwners();
    void refusesBadSources();
    void tellsAFullDevice();
};

namespace {

/// A device that takes a number of bytes and then no more.
class FullDevice : public QIODevice {
public:
    explicit FullDevice(qint64 room)
        : m_room(room)
    {
        open(QIODevice::WriteOnly | QIODevice::Unbuffered);
    }

protected:
    qint64 readData(char*, qint64) override { return -1; }
    qint64 writeData(const char*, qint64 size) override
    {
        const qint64 taken = std::min(size, m_room);
        m_room -= taken;
        if (taken == 0)
            setErrorString(u"no space left"_s);
        return taken;
    }

private:
    qint64 m_room;
};

QByteArray runTar(const QStringList& arguments, const QByteArray& archive)
{
    QProcess process;
    process.start(u"tar"_s, arguments);
    process.write(archive);
    process.closeWriteChannel();
    if (!process.waitForFinished(60'000) || process.exitCode() != 0)
        return "failed: " + process.readAllStandardError();
    return process.readAllStandardOutput();
}

TarEntry fileEntry(const QString& path, const QByteArray& content, int mode = 0644)
{
    return { .path = path, .mode = mode, .content = content };
}

} // namespace

void TestTar::writesWhatTarReads()
{
    const QString longName = u"directory-with-a-long-name/"_s.repeated(9) + u"file"_s;
    const QString exactName(100, u'n');
    const QByteArray large = QByteArray("0123456789abcdef").repeated(70'000);
    const QList<TarEntry> entries {
        { .path = u"d"_s, .type = TarEntry::Type::Directory, .mode = 0750 },
        fileEntry(u"d/empty"_s, {}), fileEntry(u"d/run.sh"_s, "#!/bin/sh\n", 0755),
        fileEntry(u"ä 日本.txt"_s, "text"), fileEntry(longName, "deep"),
        fileEntry(exactName, "exact"), fileEntry(u"large"_s, large),
        { .path = u"link"_s, .type = TarEntry::Type::Link, .linkTarget = u"d/run.sh"_s },
        { .path = u"far"_s,
            .type = TarEntry::Type::Link,
            .linkTarget = u"../"_s.repeated(60) + u"é"_s }
    };
    const auto archive = tarOf(entries);
    QVERIFY(archive);
    QCOMPARE(archive->size() % 512, 0);

    const QTemporaryDir directory;
    QCOMPARE(
        runTar({ u"-xf"_s, u"-"_s, u"--no-same-owner"_s, u"-C"_s, directory.path() }, *archive),
        QByteArray());
    const auto content = [&directory](const QString& name) {
        QFile file(directory.filePath(name));
        return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray("missing");
    };
    QCOMPARE(content(u"d/empty"_s), QByteArray());
    QCOMPARE(content(u"d/run.sh"_s), QByteArray("#!/bin/sh\n"));
    QVERIFY(QFileInfo(directory.filePath(u"d/run.sh"_s)).isExecutable());
    QCOMPARE(content(u"ä 日本.txt"_s), QByteArray("text"));
    QCOMPARE(content(longName), QByteArray("deep"));
    QCOMPARE(content(exactName), QByteArray("exact"));
    QCOMPARE(content(u"large"_s), large);
    QCOMPARE(content(u"link"_s), QByteArray("#!/bin/sh\n"));
    QCOMPARE(QFile::symLinkTarget(directory.filePath(u"d/nothing"_s)), QString());
    QCOMPARE(QFileInfo(directory.filePath(u"far"_s)).readSymLink(), u"../"_s.repeated(60) + u"é"_s);
}

void TestTar::ownersAndModes()
{
    TarEntry entry = fileEntry(u"a"_s, "x", 04711);
    entry.uid = 100;
    entry.gid = 101;
    const auto archive = tarOf({ entry });
    const QByteArray line
        = runTar({ u"-tvf"_s, u"-"_s, u"--numeric-owner"_s, u"--utc"_s }, *archive);
    QVERIFY2(line.startsWith("-rws--x--x 100/101"), line);
    QVERIFY2(line.contains("1970-01-01 00:00"), line);
}

void TestTar::sameEntriesSameBytes()
{
    const QList<TarEntry> entries { fileEntry(u"a"_s, "x"), fileEntry(u"ä"_s, "y") };
    QCOMPARE(tarOf(entries), tarOf(entries));
    QCOMPARE(tarOf({}), QByteArray(1024, '\0'));
}

void TestTar::padsToBlocks_data()
{
    QTest::addColumn<int>("size");
    QTest::addColumn<int>("blocks");
    QTest::newRow("0") << 0 << 0;
    QTest::newRow("1") << 1 << 1;
    QTest::newRow("511") << 511 << 1;
    QTest::newRow("512") << 512 << 1;
    QTest::newRow("513") << 513 << 2;
}

void TestTar::padsToBlocks()
{
    QFETCH(int, size);
    QFETCH(int, blocks);
    QCOMPARE(tarOf({ fileEntry(u"a"_s, QByteArray(size, 'x')) })->size(), (1 + blocks + 2) * 512);
}

void TestTar::readsFromFiles()
{
    const QTemporaryDir directory;
    QFile file(directory.filePath(u"source"_s));
    QVERIFY(file.open(QIODevice::WriteOnly));
    const QByteArray content = QByteArray("abc").repeated(300'001);
    file.write(content);
    file.close();
    QBuffer buffer;
    QVERIFY(buffer.open(QIODevice::WriteOnly));
    QVERIFY(writeTar(buffer, { { .path = u"f"_s, .sourcePath = file.fileName() } }));
    QCOMPARE(buffer.data(), tarOf({ fileEntry(u"f"_s, content) }));
}

void TestTar::refusesBadPaths_data()
{
    QTest::addColumn<QString>("path");
    QTest::newRow("empty") << QString();
    QTest::newRow("absolute") << u"/a"_s;
    QTest::newRow("parent") << u"a/../b"_s;
    QTest::newRow("dot") << u"./a"_s;
    QTest::newRow("slash at the end") << u"a/"_s;
    QTest::newRow("two slashes") << u"a//b"_s;
    QTest::newRow("NUL") << QString(u"a") + QChar(u'\0');
    QTest::newRow("surrogate") << QString(QChar(0xd800));
    QTest::newRow("too long") << u"a/"_s.repeated(2100) + u"a"_s;
}

void TestTar::refusesBadPaths()
{
    QFETCH(QString, path);
    QCOMPARE(tarOf({ fileEntry(path, "x") }).error_or(Error {}).kind, Kind::Invalid);
}

void TestTar::refusesBadLinksAndOwners()
{
    const auto kind
        = [](const TarEntry& entry) { return tarOf({ entry }).error_or(Error {}).kind; };
    QCOMPARE(kind({ .path = u"a"_s, .type = TarEntry::Type::Link }), Kind::Invalid);
    QCOMPARE(kind({ .path = u"a"_s, .uid = -1 }), Kind::Invalid);
    QCOMPARE(kind({ .path = u"a"_s, .gid = 1 << 30 }), Kind::Invalid);
}

void TestTar::refusesBadSources()
{
    const QTemporaryDir directory;
    const auto kind = [](const QString& path) {
        return tarOf({ { .path = u"a"_s, .sourcePath = path } }).error_or(Error {}).kind;
    };
    QCOMPARE(kind(directory.filePath(u"missing"_s)), Kind::NotFound);
    QCOMPARE(kind(directory.path()), Kind::NotFound);
    const QString fifo = directory.filePath(u"fifo"_s);
    QCOMPARE(::mkfifo(QFile::encodeName(fifo).constData(), 0600), 0);
    QCOMPARE(kind(fifo), Kind::NotFound);
}

void TestTar::tellsAFullDevice()
{
    for (const qint64 room : { 0, 100, 512, 600, 1024, 2047 }) {
        FullDevice device(room);
        const auto written = writeTar(device, { fileEntry(u"a"_s, "x") });
        QCOMPARE(written.error_or(Error {}).kind, Kind::Limit);
        QVERIFY(written.error().message.contains(u"no space left"));
    }
    FullDevice device(2048);
    QVERIFY(writeTar(device, { fileEntry(u"a"_s, "x") }));
}

QTEST_GUILESS_MAIN(TestTar)
#include "tst_tar.moc"
