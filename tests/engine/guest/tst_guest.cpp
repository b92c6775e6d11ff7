// SPDX-License-Identifier: MIT
#include "tests/engine/guest/guestfixture.h"

using namespace isol8;
using namespace isol8::test;
using namespace Qt::StringLiterals;
using guest::Outcome;

/// Programs under a real guest: how they start, talk and end.
class TestGuest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase()
    {
        m_guest = std::make_unique<GuestFixture>();
        QVERIFY(m_guest->isOpen());
    }
    void cleanupTestCase() { m_guest.reset(); }

    void runsAProgram()
    {
        const auto ran
            = m_guest->run(GuestFixture::shell("echo out; echo err >&2; cat; exit 7"), "in");
        QVERIFY2(ran.report, qPrintable(ran.report ? QString() : ran.report.error().message));
        QCOMPARE(ran.report->outcome, Outcome::Exited);
        QCOMPARE(ran.report->value, 7U);
        QCOMPARE(ran.standardOutput, "out\nin");
        QCOMPARE(ran.standardError, "err\n");
    }

private:
    std::unique_ptr<GuestFixture> m_guest;
};

QTEST_GUILESS_MAIN(TestGuest)
#include "tst_guest.moc"
