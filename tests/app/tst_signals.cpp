// SPDX-License-Identifier: MIT
#include "app/cli/signals.h"

#include <QSignalSpy>
#include <QTest>

#include <csignal>

using isol8::cli::SignalWatcher;

class TestSignals : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void tellsEverySignal();
    void leavesIgnoredSignalsIgnored();
    void restoresWhatWasBefore();
};

void TestSignals::tellsEverySignal()
{
    SignalWatcher watcher({ SIGUSR1, SIGUSR2 });
    QSignalSpy received(&watcher, &SignalWatcher::received);
    std::raise(SIGUSR1);
    std::raise(SIGUSR2);
    std::raise(SIGUSR1);
    QCOMPARE(received.size(), 0);
    QTRY_COMPARE_WITH_TIMEOUT(received.size(), 3, 60'000);
    QCOMPARE(received.at(0).first().toInt(), SIGUSR1);
    QCOMPARE(received.at(1).first().toInt(), SIGUSR2);
    QCOMPARE(received.at(2).first().toInt(), SIGUSR1);
}

void TestSignals::leavesIgnoredSignalsIgnored()
{
    std::signal(SIGUSR1, SIG_IGN);
    {
        const SignalWatcher watcher({ SIGUSR1 });
        std::raise(SIGUSR1);
    }
    QVERIFY(std::signal(SIGUSR1, SIG_DFL) == SIG_IGN);
}

void TestSignals::restoresWhatWasBefore()
{
    static int count = 0;
    std::signal(SIGUSR2, [](int) { ++count; });
    for (int i = 0; i < 2; ++i) {
        SignalWatcher watcher({ SIGUSR2 });
        QSignalSpy received(&watcher, &SignalWatcher::received);
        std::raise(SIGUSR2);
        QTRY_COMPARE_WITH_TIMEOUT(received.size(), 1, 60'000);
    }
    QCOMPARE(count, 0);
    std::raise(SIGUSR2);
    QCOMPARE(count, 1);
    std::signal(SIGUSR2, SIG_DFL);
}

QTEST_GUILESS_MAIN(TestSignals)
#include "tst_signals.moc"
