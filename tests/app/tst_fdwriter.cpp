// SPDX-License-Identifier: MIT
#include "app/cli/fdwriter.h"

#include <QFile>
#include <QSignalSpy>
#include <QTemporaryFile>
#include <QTest>

#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <unistd.h>

using isol8::cli::FdWriter;

namespace {

constexpr int patience = 60'000;

struct Pipe {
    int readEnd = -1;
    int writeEnd = -1;
    Pipe()
    {
        int ends[2] = {};
        if (::pipe2(ends, O_CLOEXEC) != 0)
            qFatal("no pipe");
        readEnd = ends[0];
        writeEnd = ends[1];
    }
    ~Pipe()
    {
        closeReadEnd();
        ::close(writeEnd);
    }
    Q_DISABLE_COPY_MOVE(Pipe)
    void closeReadEnd() { ::close(std::exchange(readEnd, -1)); }
    QByteArray read(qsizetype bytes) const
    {
        QByteArray content(bytes, Qt::Uninitialized);
        const auto count = ::read(readEnd, content.data(), size_t(bytes));
        content.truncate(std::max<qsizetype>(count, 0));
        return content;
    }
};

} // namespace

class TestFdWriter : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { std::signal(SIGPIPE, SIG_IGN); }
    void writesAtOnceWhatFits();
    void keepsWhatTheReaderDoesNotTake();
    void doesNotChangeTheDescriptor();
    void writesToFiles();
    void tellsABrokenPipe();
    void tellsABrokenPipeWhileWaiting();
    void tellsARefusal();
    void mayBeDestroyedWhileWaiting();
};

void TestFdWriter::writesAtOnceWhatFits()
{
    const Pipe pipe;
    FdWriter writer(pipe.writeEnd);
    writer.write("hello ");
    writer.write({});
    writer.write("world");
    QCOMPARE(writer.pendingBytes(), 0);
    QCOMPARE(pipe.read(100), QByteArray("hello world"));
}

void TestFdWriter::keepsWhatTheReaderDoesNotTake()
{
    const Pipe pipe;
    FdWriter writer(pipe.writeEnd);
    QSignalSpy progressed(&writer, &FdWriter::progressed);
    QByteArray sent;
    for (int i = 0; sent.size() < 3'000'000; ++i)
        sent += QByteArray::number(i) + ' ';
    writer.write(sent.first(2'000'000));
    writer.write(sent.sliced(2'000'000));
    QVERIFY(writer.pendingBytes() > 2'000'000);

    QByteArray received;
    while (received.size() < sent.size()) {
        const auto before = writer.pendingBytes();
        received += pipe.read(50'000);
        if (before > 0)
            QTRY_VERIFY_WITH_TIMEOUT(writer.pendingBytes() < before, patience);
    }
    QCOMPARE(received, sent);
    QCOMPARE(writer.pendingBytes(), 0);
    QCOMPARE(writer.failure(), 0);
    QVERIFY(!progressed.isEmpty());
}

void TestFdWriter::doesNotChangeTheDescriptor()
{
    const Pipe pipe;
    const int before = ::fcntl(pipe.writeEnd, F_GETFL);
    FdWriter writer(pipe.writeEnd);
    writer.write(QByteArray(1'000'000, 'x'));
    QCOMPARE(::fcntl(pipe.writeEnd, F_GETFL), before);
}

void TestFdWriter::writesToFiles()
{
    QTemporaryFile file;
    QVERIFY(file.open());
    FdWriter writer(file.handle());
    const QByteArray content(5'000'000, 'x');
    writer.write(content);
    QCOMPARE(writer.pendingBytes(), 0);
    QFile written(file.fileName());
    QVERIFY(written.open(QIODevice::ReadOnly));
    QCOMPARE(written.readAll(), content);
}

void TestFdWriter::tellsABrokenPipe()
{
    Pipe pipe;
    pipe.closeReadEnd();
    FdWriter writer(pipe.writeEnd);
    QSignalSpy failed(&writer, &FdWriter::failed);
    writer.write("lost");
    QCOMPARE(failed.size(), 0);
    QTRY_COMPARE_WITH_TIMEOUT(failed.size(), 1, patience);
    QCOMPARE(failed.first().first().toInt(), EPIPE);
    QCOMPARE(writer.failure(), EPIPE);
    writer.write("ignored");
    QCOMPARE(writer.pendingBytes(), 0);
}

void TestFdWriter::tellsABrokenPipeWhileWaiting()
{
    Pipe pipe;
    FdWriter writer(pipe.writeEnd);
    QSignalSpy failed(&writer, &FdWriter::failed);
    writer.write(QByteArray(1'000'000, 'x'));
    pipe.closeReadEnd();
    QTRY_COMPARE_WITH_TIMEOUT(failed.size(), 1, patience);
    QCOMPARE(writer.failure(), EPIPE);
    QCOMPARE(writer.pendingBytes(), 0);
}

void TestFdWriter::tellsARefusal()
{
    const Pipe pipe;
    FdWriter writer(pipe.readEnd);
    QSignalSpy failed(&writer, &FdWriter::failed);
    writer.write("x");
    QTRY_COMPARE_WITH_TIMEOUT(failed.size(), 1, patience);
    QCOMPARE(failed.first().first().toInt(), EBADF);
}

void TestFdWriter::mayBeDestroyedWhileWaiting()
{
    const Pipe pipe;
    {
        FdWriter writer(pipe.writeEnd);
        writer.write(QByteArray(1'000'000, 'x'));
        QVERIFY(writer.pendingBytes() > 0);
    }
    QVERIFY(!pipe.read(1'000'000).isEmpty());
    QCoreApplication::processEvents();
}

QTEST_GUILESS_MAIN(TestFdWriter)
#include "tst_fdwriter.moc"
