// SPDX-License-Identifier: MIT
#include "app/cli/stdinforwarder.h"

#include "engine/core/engine.h"

#include <QFile>
#include <QTemporaryFile>
#include <QTest>

#include <fcntl.h>
#include <unistd.h>

using isol8::cli::StdinForwarder;

namespace {

constexpr int patience = 60'000;

/// A program that takes its input only when told to.
class FakeRun : public isol8::Run {
public:
    void writeStdin(const QByteArray& bytes) override
    {
        received += bytes;
        pending += bytes.size();
    }
    void closeStdin() override { ++closes; }
    [[nodiscard]] qint64 pendingStdinBytes() const override { return pending; }
    void sendSignal(int) override { }
    void resizeTerminal(int, int) override { }
    void setOutputPaused(bool) override { }
    void cancel() override { }

    void acceptAll()
    {
        pending = 0;
        Q_EMIT stdinAccepted(0);
    }

    QByteArray received;
    qint64 pending = 0;
    int closes = 0;
};

void fill(int descriptor, const QByteArray& bytes)
{
    QCOMPARE(::write(descriptor, bytes.data(), size_t(bytes.size())), bytes.size());
}

} // namespace

class TestStdinForwarder : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup();
    void passesOnWhatComes();
    void endsWithItsInput();
    void waitsForTheProgram();
    void readsFiles();
    void treatsAWriteOnlyDescriptorAsEmpty();
    void treatsAClosedDescriptorAsEmpty();

private:
    void closeWriteEnd() { ::close(std::exchange(m_writeEnd, -1)); }

    int m_readEnd = -1;
    int m_writeEnd = -1;
};

void TestStdinForwarder::init()
{
    int ends[2] = {};
    QCOMPARE(::pipe2(ends, O_CLOEXEC), 0);
    m_readEnd = ends[0];
    m_writeEnd = ends[1];
}

void TestStdinForwarder::cleanup()
{
    ::close(m_readEnd);
    if (m_writeEnd != -1)
        closeWriteEnd();
}

void TestStdinForwarder::passesOnWhatComes()
{
    FakeRun run;
    const StdinForwarder forwarder(m_readEnd, &run);
    fill(m_writeEnd, QByteArray("a\0b", 3));
    QTRY_COMPARE_WITH_TIMEOUT(run.received, QByteArray("a\0b", 3), patience);
    fill(m_writeEnd, "more");
    QTRY_COMPARE_WITH_TIMEOUT(run.received, QByteArray("a\0bmore", 7), patience);
    QCOMPARE(run.closes, 0);
}

void TestStdinForwarder::endsWithItsInput()
{
    FakeRun run;
    StdinForwarder forwarder(m_readEnd, &run);
    fill(m_writeEnd, "last");
    closeWriteEnd();
    QTRY_COMPARE_WITH_TIMEOUT(run.closes, 1, patience);
    QCOMPARE(run.received, QByteArray("last"));
    run.acceptAll();
    forwarder.resume();
    QCoreApplication::processEvents();
    QCOMPARE(run.closes, 1);
}

void TestStdinForwarder::waitsForTheProgram()
{
    FakeRun run;
    const StdinForwarder forwarder(m_readEnd, &run);
    QVERIFY(::fcntl(m_writeEnd, F_SETFL, O_NONBLOCK) == 0);
    const QByteArray block(4096, 'x');
    qint64 sent = 0;
    const auto offer = [&] {
        const auto count = ::write(m_writeEnd, block.data(), size_t(block.size()));
        sent += std::max<qint64>(count, 0);
        return count > 0;
    };
    // Offers more until neither the forwarder nor the pipe takes anything.
    int refusals = 0;
    while (refusals < 50 && sent < (64 << 20)) {
        refusals = offer() ? 0 : refusals + 1;
        QCoreApplication::processEvents();
    }
    QVERIFY2(run.received.size() < (1 << 20), QByteArray::number(run.received.size()).constData());
    const auto before = run.received.size();
    QVERIFY(before > 0);
    run.acceptAll();
    QTRY_COMPARE_WITH_TIMEOUT(run.received.size(), sent, patience);
}

void TestStdinForwarder::readsFiles()
{
    QTemporaryFile file;
    QVERIFY(file.open());
    const QByteArray content(100'000, 'f');
    QCOMPARE(file.write(content), content.size());
    QVERIFY(file.flush());
    QVERIFY(file.seek(0));
    FakeRun run;
    const StdinForwarder forwarder(file.handle(), &run);
    QTRY_COMPARE_WITH_TIMEOUT(run.closes, 1, patience);
    QCOMPARE(run.received, content);
}

void TestStdinForwarder::treatsAWriteOnlyDescriptorAsEmpty()
{
    FakeRun run;
    const StdinForwarder forwarder(m_writeEnd, &run);
    QCOMPARE(run.closes, 1);
}

void TestStdinForwarder::treatsAClosedDescriptorAsEmpty()
{
    FakeRun run;
    closeWriteEnd();
    const StdinForwarder forwarder(-1, &run);
    QCOMPARE(run.closes, 1);
}

QTEST_GUILESS_MAIN(TestStdinForwarder)
#include "tst_stdinforwarder.moc"
