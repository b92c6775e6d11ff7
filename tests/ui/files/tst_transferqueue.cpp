// SPDX-License-Identifier: MIT
#include "tests/ui/support/fakefiles.h"
#include "ui/files/transferqueue.h"

#include <QDir>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

using namespace isol8;
using namespace isol8::tests;
using namespace isol8::ui;
using namespace Qt::StringLiterals;

/// Files on their way: folders with all in them, failures, cancels.
class TestTransferQueue : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init();

    void uploadsFilesAndFolders();
    void downloadsFilesAndFolders();
    void downloadReplacesNothing();
    void downloadToAFullPlaceIsTold();
    void oneFailureDoesNotHoldUpTheRest();
    void cancelEndsWhatIsUnderWay();
    void tellsProgress();
    void freeNames();

private:
    void write(const QString& path, const QByteArray& content);
    [[nodiscard]] QByteArray read(const QString& path);
    [[nodiscard]] SessionPlace place() const { return { m_files, u"local"_s, u"s"_s }; }

    std::unique_ptr<QTemporaryDir> m_local;
    std::shared_ptr<FakeFiles> m_files;
};

void TestTransferQueue::init()
{
    m_local = std::make_unique<QTemporaryDir>();
    m_files = std::make_shared<FakeFiles>();
}

void TestTransferQueue::write(const QString& path, const QByteArray& content)
{
    const auto full = m_local->filePath(path);
    QDir().mkpath(QFileInfo(full).path());
    QFile file(full);
    if (!file.open(QIODevice::WriteOnly) || file.write(content) != content.size())
        qFatal("cannot write");
}

QByteArray TestTransferQueue::read(const QString& path)
{
    QFile file(m_local->filePath(path));
    return file.open(QIODevice::ReadOnly) ? file.readAll() : "(not there)"_ba;
}

void TestTransferQueue::uploadsFilesAndFolders()
{
    write(u"a.txt"_s, "a");
    write(u"folder/b.txt"_s, "b");
    write(u"folder/inner/c.txt"_s, "c");
    TransferQueue queue(nullptr);
    QSignalSpy finished(&queue, &TransferQueue::finished);
    queue.upload(place(), m_local->filePath(u"a.txt"_s), u"/sandbox"_s);
    queue.upload(place(), m_local->filePath(u"folder"_s), u"/sandbox/to"_s);
    QTRY_COMPARE(finished.size(), 1);
    QCOMPARE(finished[0][0].toInt(), 3);
    QCOMPARE(m_files->contents[u"/sandbox/a.txt"_s], "a"_ba);
    QCOMPARE(m_files->contents[u"/sandbox/to/folder/b.txt"_s], "b"_ba);
    QCOMPARE(m_files->contents[u"/sandbox/to/folder/inner/c.txt"_s], "c"_ba);
    QVERIFY(!queue.isBusy());
}

void TestTransferQueue::downloadsFilesAndFolders()
{
    m_files->add(u"/sandbox/a.txt"_s, "a");
    m_files->add(u"/sandbox/folder/inner/c.txt"_s, "c");
    TransferQueue queue(nullptr);
    QSignalSpy finished(&queue, &TransferQueue::finished);
    queue.download(place(), u"/sandbox/a.txt"_s, false, m_local->path());
    queue.download(place(), u"/sandbox/folder"_s, true, m_local->path());
    QTRY_COMPARE(finished.size(), 1);
    QCOMPARE(read(u"a.txt"_s), "a"_ba);
    QCOMPARE(read(u"folder/inner/c.txt"_s), "c"_ba);
}

void TestTransferQueue::downloadReplacesNothing()
{
    write(u"a.txt"_s, "mine");
    m_files->add(u"/sandbox/a.txt"_s, "theirs");
    TransferQueue queue(nullptr);
    QSignalSpy finished(&queue, &TransferQueue::finished);
    queue.download(place(), u"/sandbox/a.txt"_s, false, m_local->path());
    QTRY_COMPARE(finished.size(), 1);
    QCOMPARE(read(u"a.txt"_s), "mine"_ba);
    QCOMPARE(read(u"a (2).txt"_s), "theirs"_ba);
}

void TestTransferQueue::downloadToAFullPlaceIsTold()
{
    m_files->add(u"/sandbox/a.txt"_s, "a");
    TransferQueue queue(nullptr);
    QSignalSpy failed(&queue, &TransferQueue::failed);
    QSignalSpy finished(&queue, &TransferQueue::finished);
    queue.download(place(), u"/sandbox/a.txt"_s, false, u"/dev/full/no-folder"_s);
    QTRY_COMPARE(finished.size(), 1);
    QCOMPARE(failed.size(), 1);
    QVERIFY(failed[0][0].toString().contains(u"a.txt"_s));
    QCOMPARE(finished[0][0].toInt(), 0);
}

void TestTransferQueue::oneFailureDoesNotHoldUpTheRest()
{
    write(u"b.txt"_s, "b");
    TransferQueue queue(nullptr);
    QSignalSpy failed(&queue, &TransferQueue::failed);
    QSignalSpy finished(&queue, &TransferQueue::finished);
    queue.upload(place(), m_local->filePath(u"vanished.txt"_s), u"/sandbox"_s);
    queue.upload(place(), m_local->filePath(u"b.txt"_s), u"/sandbox"_s);
    queue.download(place(), u"/sandbox/none"_s, false, m_local->path());
    QTRY_COMPARE(finished.size(), 1);
    QCOMPARE(failed.size(), 2);
    QCOMPARE(m_files->contents[u"/sandbox/b.txt"_s], "b"_ba);
}

void TestTransferQueue::cancelEndsWhatIsUnderWay()
{
    write(u"a.txt"_s, "a");
    write(u"b.txt"_s, "b");
    m_files->isPutHanging = true;
    TransferQueue queue(nullptr);
    QSignalSpy failed(&queue, &TransferQueue::failed);
    QSignalSpy finished(&queue, &TransferQueue::finished);
    queue.upload(place(), m_local->filePath(u"a.txt"_s), u"/sandbox"_s);
    queue.upload(place(), m_local->filePath(u"b.txt"_s), u"/sandbox"_s);
    QVERIFY(queue.isBusy());
    queue.cancelAll();
    QTRY_COMPARE(finished.size(), 1);
    QVERIFY(failed.isEmpty());
    QVERIFY(m_files->contents.empty());

    // And it can be used again.
    m_files->isPutHanging = false;
    queue.upload(place(), m_local->filePath(u"b.txt"_s), u"/sandbox"_s);
    QTRY_COMPARE(finished.size(), 2);
    QCOMPARE(m_files->contents.size(), 1U);
}

void TestTransferQueue::tellsProgress()
{
    write(u"a.txt"_s, QByteArray(1000, 'x'));
    TransferQueue queue(nullptr);
    QSignalSpy progressed(&queue, &TransferQueue::progressed);
    QSignalSpy finished(&queue, &TransferQueue::finished);
    queue.upload(place(), m_local->filePath(u"a.txt"_s), u"/sandbox"_s);
    QTRY_COMPARE(finished.size(), 1);
    QCOMPARE(progressed.last()[1].toLongLong(), 500);
    QCOMPARE(progressed.last()[2].toLongLong(), 1000);
}

void TestTransferQueue::freeNames()
{
    write(u"a"_s, "");
    write(u"a (2)"_s, "");
    write(u".hidden"_s, "");
    QCOMPARE(freePath(m_local->path(), u"b.txt"_s), m_local->filePath(u"b.txt"_s));
    QCOMPARE(freePath(m_local->path(), u"a"_s), m_local->filePath(u"a (3)"_s));
    QCOMPARE(freePath(m_local->path(), u".hidden"_s), m_local->filePath(u".hidden (2)"_s));
    QVERIFY(QFile::link(u"/nowhere"_s, m_local->filePath(u"dangling"_s)));
    QCOMPARE(freePath(m_local->path(), u"dangling"_s), m_local->filePath(u"dangling (2)"_s));
}

QTEST_GUILESS_MAIN(TestTransferQueue)
#include "tst_transferqueue.moc"
