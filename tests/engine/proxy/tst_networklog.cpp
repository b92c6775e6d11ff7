// SPDX-License-Identifier: MIT
#include "engine/proxy/networklog.h"

#include <QTest>

using namespace isol8;
using namespace isol8::proxy;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace {

NetworkLogEntry entryOf(const QString& host, bool isAllowed)
{
    NetworkLogEntry entry;
    entry.timestamp = QDateTime::currentDateTimeUtc();
    entry.method = u"GET"_s;
    entry.host = host;
    entry.isAllowed = isAllowed;
    return entry;
}

} // namespace

class TestNetworkLog : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void keepsEntriesInOrder();
    void isBoundedForEachKind();
    void decisionsMayChange();
    void boundsPaths();
    void keepsNothingWhenOff();
};

void TestNetworkLog::keepsEntriesInOrder()
{
    NetworkLog log(true);
    const auto first = log.add(entryOf(u"a"_s, true));
    const auto second = log.add(entryOf(u"b"_s, false));
    QVERIFY(first && second);
    log.setDuration(first, 5us);
    log.setDuration(std::nullopt, 7us);
    const auto entries = log.entries();
    QCOMPARE(entries.size(), 2);
    QCOMPARE(entries[0].host, u"a"_s);
    QCOMPARE(entries[0].duration, 5us);
    QVERIFY(entries[0].isAllowed);
    QCOMPARE(entries[1].host, u"b"_s);
    QVERIFY(!entries[1].isAllowed);
}

void TestNetworkLog::isBoundedForEachKind()
{
    NetworkLog log(true);
    for (int i = 0; i < 100'000; ++i)
        (void)log.add(entryOf(u"flood"_s, true));
    QVERIFY(log.add(entryOf(u"evil"_s, false)));
    QVERIFY(!log.add(entryOf(u"flood"_s, true)));
    const auto entries = log.entries();
    QCOMPARE(entries.size(), NetworkLog::maxEntries + 2);
    QCOMPARE(entries[NetworkLog::maxEntries].host, u"evil"_s);
    QCOMPARE(entries.last().host, u"… 99001 more"_s);
    QVERIFY(entries.last().isAllowed);
    QVERIFY(entries.last().timestamp.isValid());

    for (int i = 0; i < 2000; ++i)
        (void)log.add(entryOf(u"evil"_s, false));
    QCOMPARE(log.entries().size(), 2 * NetworkLog::maxEntries + 2);
    QCOMPARE(log.entries().last().host, u"… 1001 more"_s);
    QVERIFY(!log.entries().last().isAllowed);
}

void TestNetworkLog::decisionsMayChange()
{
    NetworkLog log(true);
    const auto place = log.add(entryOf(u"a"_s, true));
    log.setRefused(place, u"private-address"_s);
    log.setRefused(std::nullopt, u"x"_s);
    QVERIFY(!log.entries().first().isAllowed);
    QCOMPARE(log.entries().first().rule, u"private-address"_s);
}

void TestNetworkLog::boundsPaths()
{
    NetworkLog log(true);
    auto entry = entryOf(u"a"_s, true);
    entry.path = QString(100'000, u'x');
    (void)log.add(entry);
    QCOMPARE(log.entries().first().path->size(), NetworkLog::maxPathLength + 1);
}

void TestNetworkLog::keepsNothingWhenOff()
{
    NetworkLog log(false);
    QVERIFY(!log.isOn());
    QVERIFY(!log.add(entryOf(u"a"_s, true)));
    QVERIFY(log.entries().isEmpty());
}

QTEST_APPLESS_MAIN(TestNetworkLog)
#include "tst_networklog.moc"
