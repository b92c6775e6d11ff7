// SPDX-License-Identifier: MIT
#include "engine/proxy/networkrules.h"

#include <QTest>

using namespace isol8;
using namespace isol8::proxy;
using namespace Qt::StringLiterals;

namespace {

HostAndPort at(const QString& text)
{
    return hostAndPortFromText(text, 443).value_or(HostAndPort {});
}

NetworkRules rulesOf(const NetworkFilter& filter)
{
    auto rules = NetworkRules::create(filter);
    if (!rules)
        qFatal("%s", qPrintable(rules.error().message));
    return std::move(*rules);
}

} // namespace

/// Who decides: the lists in their order, ports, names, addresses.
class TestNetworkRules : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void emptyListsLetEveryPublicHostThrough();
    void denyDecidesFirst();
    void allowIsWhatMayBeReached();
    void operatorsListHoldsToo();
    void everySpellingMeetsTheSamePattern();
    void ports();
    void exceptionsOpenTheirPortForThemselvesOnly();
    void hostsAreRefusedByNameBeforeTheyAreResolved();
    void refusesBadPatterns();
    void slowPatternsRefuse();
    void patternsHaveAShareOfTheTime();
};

void TestNetworkRules::emptyListsLetEveryPublicHostThrough()
{
    auto rules = rulesOf({});
    const auto verdict = rules.judge(at(u"example.org"_s));
    QVERIFY(!verdict.refusal);
    QCOMPARE(verdict.rule, u"any-host"_s);
}

void TestNetworkRules::denyDecidesFirst()
{
    NetworkFilter filter;
    filter.deny = { u"^x$"_s, u"evil"_s };
    filter.allow = { u"evil"_s, u"good"_s };
    filter.operatorAllow = { u"."_s };
    auto rules = rulesOf(filter);
    const auto refused = rules.judge(at(u"evil.test"_s));
    QVERIFY(refused.refusal);
    QCOMPARE(refused.rule, u"evil"_s);
    QVERIFY(refused.refusal->reason.contains(u"evil.test"_s));
    QVERIFY(refused.refusal->allowWith.contains(u"--deny"_s));
    const auto allowed = rules.judge(at(u"good.test"_s));
    QVERIFY(!allowed.refusal);
    QCOMPARE(allowed.rule, u"good"_s);
}

void TestNetworkRules::allowIsWhatMayBeReached()
{
    NetworkFilter filter;
    filter.allow = { u"^a\\.test$"_s, u"^b\\.test$"_s };
    auto rules = rulesOf(filter);
    QCOMPARE(rules.judge(at(u"b.test"_s)).rule, u"^b\\.test$"_s);
    const auto refused = rules.judge(at(u"c.test"_s));
    QVERIFY(refused.refusal);
    QCOMPARE(refused.rule, u"not-allowed"_s);
    QCOMPARE(refused.refusal->allowWith, u"--allow-host 'c.test'"_s);
}

void TestNetworkRules::operatorsListHoldsToo()
{
    NetworkFilter filter;
    filter.operatorAllow = { u"\\.corp\\.test$"_s };
    auto rules = rulesOf(filter);
    QVERIFY(!rules.judge(at(u"a.corp.test"_s)).refusal);
    QCOMPARE(rules.judge(at(u"a.corp.test"_s)).rule, u"\\.corp\\.test$"_s);
    QCOMPARE(rules.judge(at(u"a.test"_s)).rule, u"not-allowed-by-operator"_s);
    // What a client allows narrows, and never widens.
    filter.allow = { u"^a\\."_s };
    auto narrowed = rulesOf(filter);
    QVERIFY(!narrowed.judge(at(u"a.corp.test"_s)).refusal);
    QCOMPARE(narrowed.judge(at(u"b.corp.test"_s)).rule, u"not-allowed"_s);
    QCOMPARE(narrowed.judge(at(u"a.test"_s)).rule, u"not-allowed-by-operator"_s);
}

void TestNetworkRules::everySpellingMeetsTheSamePattern()
{
    NetworkFilter filter;
    filter.deny = { u"^evil\\.test$"_s, u"^127\\."_s };
    filter.isPrivateAllowed = true;
    auto rules = rulesOf(filter);
    for (const auto& host : { u"evil.test"_s, u"EVIL.test"_s, u"Evil.Test."_s, u"ev\u00adil.test"_s,
             u"127.1"_s, u"0x7f000001"_s, u"[::ffff:7f00:1]"_s })
        QVERIFY2(rules.judge(at(host)).refusal, qPrintable(host));
    QVERIFY(!rules.judge(at(u"not-evil.test"_s)).refusal);
}

void TestNetworkRules::ports()
{
    auto rules = rulesOf({});
    QVERIFY(!rules.judge(at(u"a.test:80"_s)).refusal);
    QVERIFY(!rules.judge(at(u"a.test:443"_s)).refusal);
    for (const int port : { 22, 25, 53, 465, 2375, 6379, 8080, 65535 }) {
        const auto refused = rules.judge(at(u"a.test:%1"_s.arg(port)));
        QVERIFY(refused.refusal);
        QCOMPARE(refused.rule, u"port"_s);
        QCOMPARE(refused.refusal->allowWith, u"network.ports"_s);
    }
    NetworkFilter filter;
    filter.ports = { 8443 };
    auto other = rulesOf(filter);
    QVERIFY(!other.judge(at(u"a.test:8443"_s)).refusal);
    QVERIFY(other.judge(at(u"a.test:443"_s)).refusal);
}

void TestNetworkRules::exceptionsOpenTheirPortForThemselvesOnly()
{
    NetworkFilter filter;
    filter.allowAddresses = { u"127.0.0.1:8080"_s };
    auto rules = rulesOf(filter);
    const QHostAddress loopback(u"127.0.0.1"_s);
    const QHostAddress somewhere(u"203.0.113.1"_s);
    QVERIFY(!rules.judge(at(u"127.0.0.1:8080"_s)).refusal);
    QVERIFY(!rules.refuseAddress(at(u"127.0.0.1:8080"_s), loopback));
    QVERIFY(!rules.refuseAddress(at(u"a.test:8080"_s), loopback));
    const auto refused = rules.refuseAddress(at(u"a.test:8080"_s), somewhere);
    QVERIFY(refused);
    QCOMPARE(refused->rule, u"port"_s);
    QVERIFY(!rules.refuseAddress(at(u"a.test:443"_s), somewhere));
    QVERIFY(rules.judge(at(u"127.0.0.1:8081"_s)).refusal);
    QVERIFY(rules.judge(at(u"127.0.0.1:443"_s)).refusal);
    // The lists hold for exceptions as well.
    filter.allow = { u"^a\\.test$"_s };
    auto narrowed = rulesOf(filter);
    QCOMPARE(narrowed.judge(at(u"127.0.0.1:8080"_s)).rule, u"not-allowed"_s);
}

void TestNetworkRules::hostsAreRefusedByNameBeforeTheyAreResolved()
{
    auto rules = rulesOf({});
    for (const auto& host :
        { u"localhost"_s, u"metadata.google.internal"_s, u"127.0.0.1"_s, u"[fd00:ec2::254]"_s })
        QCOMPARE(rules.judge(at(host)).rule, u"private-address"_s);
    NetworkFilter filter;
    filter.isPrivateAllowed = true;
    QVERIFY(!rulesOf(filter).judge(at(u"localhost"_s)).refusal);
}

void TestNetworkRules::refusesBadPatterns()
{
    for (const auto& bad : { u"("_s, u"["_s, u"*x"_s, u""_s }) {
        for (auto list :
            { &NetworkFilter::allow, &NetworkFilter::deny, &NetworkFilter::operatorAllow }) {
            NetworkFilter filter;
            filter.*list = { u"good"_s, bad };
            const auto rules = NetworkRules::create(filter);
            QVERIFY(!rules);
            QCOMPARE(rules.error().kind, Kind::Invalid);
            QVERIFY(rules.error().message.contains(u'"' + bad + u'"'));
        }
    }
    NetworkFilter filter;
    filter.allowAddresses = { u"nowhere"_s };
    QVERIFY(!NetworkRules::create(filter));
}

void TestNetworkRules::slowPatternsRefuse()
{
    // Written so that PCRE2 cannot see beforehand that there is no match.
    const QString slow = u"^([a-z]+)*[^a-z.]$"_s;
    const auto host = at(QString(60, u'a') + u".test"_s);
    NetworkFilter denying;
    denying.deny = { slow };
    QCOMPARE(rulesOf(denying).judge(host).rule, slow);
    NetworkFilter allowing;
    allowing.allow = { slow };
    QVERIFY(rulesOf(allowing).judge(host).refusal);
}

void TestNetworkRules::patternsHaveAShareOfTheTime()
{
    NetworkFilter filter;
    filter.deny = { u"^([a-z]+)*[^a-z.]$"_s };
    auto rules = rulesOf(filter);
    const auto first = at(QString(50, u'a') + u".test"_s);
    const auto firstRule = rules.judge(first).rule;
    bool isGivenUp = false;
    for (int i = 0; i < 100'000 && !isGivenUp; ++i) {
        const auto verdict = rules.judge(at(QString(50, u'a') + u"%1.test"_s.arg(i)));
        QVERIFY(verdict.refusal);
        isGivenUp = verdict.rule == u"slow-pattern"_s;
        // What was judged before keeps its verdict.
        QCOMPARE(rules.judge(first).rule, firstRule);
    }
    QVERIFY(isGivenUp);
}

QTEST_GUILESS_MAIN(TestNetworkRules)
#include "tst_networkrules.moc"
