// SPDX-License-Identifier: MIT
#include "ui/singleinstance.h"

#include <QLocalServer>
#include <QLocalSocket>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

#include <optional>

using namespace isol8::ui;
using namespace Qt::StringLiterals;

/// A second window hands its files to the first one.
class TestSingleInstance : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void handsFilesOver();
    void nobodyThere();
    void crashedOneIsReplaced();
    void silentOneIsNotWaitedForLong();
    void nonsenseDoesNoHarm();

private:
    [[nodiscard]] QString name() const { return m_directory.filePath(u"socket"_s); }
    /// Whether another one took the files; none while it is not decided.
    void handOver(SingleInstance& instance, const QStringList& files);

    QTemporaryDir m_directory;
    std::optional<bool> m_isTaken;
};

void TestSingleInstance::handOver(SingleInstance& instance, const QStringList& files)
{
    m_isTaken.reset();
    instance.handOver(files, [this](bool isTaken) { m_isTaken = isTaken; });
    QTRY_VERIFY_WITH_TIMEOUT(m_isTaken.has_value(), 30'000);
}

void TestSingleInstance::handsFilesOver()
{
    SingleInstance first(name());
    QVERIFY(first.listen());
    QSignalSpy received(&first, &SingleInstance::filesReceived);
    SingleInstance second(name());
    const QStringList files { u"/home/me/a b.py"_s, u"/home/me/ä\n.py"_s };
    handOver(second, files);
    QVERIFY(*m_isTaken);
    QCOMPARE(received.size(), 1);
    QCOMPARE(received[0][0].toStringList(), files);
    handOver(second, {});
    QVERIFY(*m_isTaken);
    QCOMPARE(received.size(), 2);
}

void TestSingleInstance::nobodyThere()
{
    SingleInstance alone(name());
    handOver(alone, {});
    QVERIFY(!*m_isTaken);
}

void TestSingleInstance::crashedOneIsReplaced()
{
    QFile file(name());
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.close();
    SingleInstance instance(name());
    handOver(instance, {});
    QVERIFY(!*m_isTaken);
    QVERIFY(instance.listen());
}

void TestSingleInstance::silentOneIsNotWaitedForLong()
{
    QLocalServer silent;
    QVERIFY(silent.listen(name()));
    SingleInstance instance(name());
    handOver(instance, { u"/a.py"_s });
    QVERIFY(!*m_isTaken);
}

void TestSingleInstance::nonsenseDoesNoHarm()
{
    SingleInstance first(name());
    QVERIFY(first.listen());
    QSignalSpy received(&first, &SingleInstance::filesReceived);
    QLocalSocket socket;
    socket.connectToServer(name());
    QTRY_COMPARE(socket.state(), QLocalSocket::ConnectedState);
    socket.write("{not json\n");
    QTRY_COMPARE(received.size(), 1);
    QVERIFY(received[0][0].toStringList().isEmpty());
    QLocalSocket flood;
    flood.connectToServer(name());
    QTRY_COMPARE(flood.state(), QLocalSocket::ConnectedState);
    flood.write(QByteArray(4 << 20, 'x'));
    QTRY_VERIFY_WITH_TIMEOUT(flood.state() == QLocalSocket::UnconnectedState, 30'000);
    QCOMPARE(received.size(), 1);
}

QTEST_GUILESS_MAIN(TestSingleInstance)
#include "tst_singleinstance.moc"
