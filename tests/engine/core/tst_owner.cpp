// SPDX-License-Identifier: MIT
#include "engine/core/owner.h"

#include <QProcess>
#include <QTest>

using namespace isol8;
using namespace Qt::StringLiterals;

/// Who is provably dead, and who must be left in peace.
class TestOwner : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void livingProcessIsNotDead();
    void endedProcessIsDead();
    void reusedProcessIdIsDead();
    void anotherMachineIsNeverDead();
    void roundTripsAsText();
    void refusesOtherText_data();
    void refusesOtherText();
};

void TestOwner::livingProcessIsNotDead()
{
    QVERIFY(!Owner::self().isProvablyDead());
}

void TestOwner::endedProcessIsDead()
{
    QProcess process;
    process.start(u"cat"_s, {});
    QVERIFY(process.waitForStarted());
    auto owner = Owner::self();
    owner.pid = process.processId();
    QFile stat(u"/proc/%1/stat"_s.arg(owner.pid));
    QVERIFY(stat.open(QIODevice::ReadOnly));
    owner.startTicks = stat.readAll().split(' ').at(21).toULongLong();
    QVERIFY(!owner.isProvablyDead());
    process.closeWriteChannel();
    QVERIFY(process.waitForFinished());
    QVERIFY(owner.isProvablyDead());
}

void TestOwner::reusedProcessIdIsDead()
{
    auto owner = Owner::self();
    owner.startTicks -= 1;
    QVERIFY(owner.isProvablyDead());
}

void TestOwner::anotherMachineIsNeverDead()
{
    auto owner = Owner::self();
    owner.startTicks -= 1;
    owner.bootId = u"another"_s;
    QVERIFY(!owner.isProvablyDead());
    owner = Owner::self();
    owner.startTicks -= 1;
    owner.pidNamespace = u"1"_s;
    QVERIFY(!owner.isProvablyDead());
    owner = Owner::self();
    owner.startTicks -= 1;
    owner.bootId.clear();
    QVERIFY(!owner.isProvablyDead());
}

void TestOwner::roundTripsAsText()
{
    const auto self = Owner::self();
    const auto read = Owner::fromString(self.toString());
    QVERIFY(read);
    QCOMPARE(read->toString(), self.toString());
    QVERIFY(!read->isProvablyDead());
}

void TestOwner::refusesOtherText_data()
{
    QTest::addColumn<QString>("text");
    for (const auto* text :
        { "", "/", "a/b/c/d", "a/b/1", "/b/1/2", "a/b/-1/2", "a/b/0/2", "a/b/1/2/3", "a/b/1e3/2" })
        QTest::newRow(text) << QString::fromLatin1(text);
}

void TestOwner::refusesOtherText()
{
    QFETCH(QString, text);
    QVERIFY(!Owner::fromString(text));
}

QTEST_GUILESS_MAIN(TestOwner)
#include "tst_owner.moc"
