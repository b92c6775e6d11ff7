// SPDX-License-Identifier: MIT
#include "engine/proxy/addresspolicy.h"

#include <QSysInfo>
#include <QTest>

using namespace isol8;
using namespace isol8::proxy;
using namespace Qt::StringLiterals;

namespace {

HostAndPort at(const QString& text)
{
    return hostAndPortFromText(text, 80).value_or(HostAndPort {});
}

AddressPolicy policyWith(const QStringList& exceptions)
{
    const auto policy = AddressPolicy::create(false, exceptions);
    return policy.value_or(AddressPolicy());
}

/// As the proxy asks: the host first, then the address it stands for.
std::optional<Refusal> refusalOf(const AddressPolicy& policy, const QString& host,
    const QHostAddress& resolved = QHostAddress(u"203.0.113.5"_s))
{
    const auto target = at(host);
    if (auto refused = policy.refuseHost(target))
        return refused;
    return policy.refuseAddress(target, target.host.isAddress() ? target.host.address : resolved);
}

} // namespace

/// Which addresses programs cannot reach, and the exceptions.
class TestAddressPolicy : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void refusesSpecialAddresses_data();
    void refusesSpecialAddresses();
    void letsPublicAddressesThrough_data();
    void letsPublicAddressesThrough();
    void refusesNamesOfThisMachine_data();
    void refusesNamesOfThisMachine();
    void judgesWhatANamePointsTo();
    void refusesThisMachinesOwnAddresses();
    void exceptionsAreForOneHostAndPort();
    void privateAllowedLiftsEverything();
    void refusesBadExceptions();
};

void TestAddressPolicy::refusesSpecialAddresses_data()
{
    QTest::addColumn<QString>("host");
    QTest::addColumn<QString>("what");
    const auto row = [](const char* host, const char* what) {
        QTest::newRow(host) << QString::fromLatin1(host) << QString::fromLatin1(what);
    };
    for (const auto* host : { "127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1",
             "127.255.255.254", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]" })
        row(host, "loopback");
    for (const auto* host : { "0", "0.0.0.0", "0.1.2.3", "[::]" })
        row(host, "this machine itself");
    for (const auto* host :
        { "10.0.0.0", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1",
            "192.168.255.255", "[fc00::1]", "[fdff::1]", "[fec0::1]", "[::ffff:10.0.0.1]" })
        row(host, "private");
    for (const auto* host : { "169.254.169.254", "169.254.170.2", "100.100.100.200",
             "168.63.129.16", "192.0.0.192", "[fd00:ec2::254]", "[fd20:ce::254]",
             "[::ffff:169.254.169.254]", "[64:ff9b::a9fe:a9fe]" })
        row(host, "metadata");
    for (const auto* host : { "169.254.0.1", "[fe80::1%25lo]", "[febf::1]" })
        row(host, "link-local");
    row("100.64.0.1", "provider");
    row("100.127.255.255", "provider");
    row("192.0.0.1", "protocol assignments");
    row("192.88.99.1", "6to4");
    row("198.18.0.1", "benchmarks");
    row("198.19.255.255", "benchmarks");
    row("224.0.0.1", "multicast");
    row("239.255.255.255", "multicast");
    row("240.0.0.1", "reserved");
    row("255.255.255.255", "broadcast");
    row("[ff02::1]", "multicast");
    row("[64:ff9b::7f00:1]", "loopback");
    row("[64:ff9b::10.0.0.1]", "private");
    row("[64:ff9b:1::1]", "reserved");
    row("[2002:7f00:1::]", "6to4");
    row("[2002:cb00:7105::1]", "6to4");
    row("[2001::1]", "Teredo");
    row("[2001:2::1]", "protocol assignments");
    row("[::7f00:1]", "reserved");
    row("[::203.0.113.5]", "reserved");
    row("[100::1]", "reserved");
    row("[5f00::1]", "reserved");
    row("[4000::1]", "reserved");
}

void TestAddressPolicy::refusesSpecialAddresses()
{
    QFETCH(QString, host);
    QFETCH(QString, what);
    const auto refused = refusalOf(AddressPolicy(), host);
    QVERIFY(refused);
    QCOMPARE(refused->rule, u"private-address"_s);
    QVERIFY2(refused->reason.contains(what), qPrintable(refused->reason));
    QVERIFY(refused->allowWith.contains(u"network.allowAddresses"_s));
    // The same when a name points there.
    const auto address = at(host).host.address;
    QVERIFY(refusalOf(AddressPolicy(), u"innocent.test"_s, address));
    QVERIFY(AddressPolicy().refuseAddress(at(u"innocent.test"_s), address));
}

void TestAddressPolicy::letsPublicAddressesThrough_data()
{
    QTest::addColumn<QString>("host");
    for (const auto* host : { "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "126.255.255.255",
             "128.0.0.0", "100.63.255.255", "100.128.0.0", "169.253.255.255", "169.255.0.0",
             "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0", "192.0.1.0",
             "198.17.255.255", "198.20.0.0", "203.0.113.5", "223.255.255.255", "168.63.129.17",
             "[2606:4700::1111]", "[2a00:1450::1]", "[2001:4860::1]", "[2001:db8::1]", "[3fff::1]",
             "[64:ff9b::808:808]" })
        QTest::newRow(host) << QString::fromLatin1(host);
}

void TestAddressPolicy::letsPublicAddressesThrough()
{
    QFETCH(QString, host);
    const auto refused = refusalOf(AddressPolicy(), host);
    QVERIFY2(!refused, refused ? qPrintable(refused->reason) : "");
}

void TestAddressPolicy::refusesNamesOfThisMachine_data()
{
    QTest::addColumn<QString>("host");
    for (const auto* host : { "localhost", "localhost.", "LOCALHOST", "a.localhost",
             "a.b.localhost", "ip6-localhost", "ip6-loopback", "metadata.google.internal",
             "metadata", "host.docker.internal", "host.containers.internal" })
        QTest::newRow(host) << QString::fromLatin1(host);
    QTest::newRow("own name") << QSysInfo::machineHostName();
}

void TestAddressPolicy::refusesNamesOfThisMachine()
{
    QFETCH(QString, host);
    QVERIFY(AddressPolicy().refuseHost(at(host)));
    QVERIFY(!AddressPolicy().refuseHost(at(host + u".example.test"_s)));
    QVERIFY(!policyWith({ u"127.0.0.1:80"_s }).refuseHost(at(host)));
}

void TestAddressPolicy::judgesWhatANamePointsTo()
{
    const AddressPolicy policy;
    const auto host = at(u"rebind.test:443"_s);
    QVERIFY(!policy.refuseHost(host));
    QVERIFY(!policy.refuseAddress(host, QHostAddress(u"203.0.113.5"_s)));
    const auto refused = policy.refuseAddress(host, QHostAddress(u"10.1.2.3"_s));
    QVERIFY(refused);
    QCOMPARE(refused->reason, u"rebind.test points to a private address"_s);
    QVERIFY2(refused->allowWith.contains(u"\"rebind.test:443\""_s), qPrintable(refused->allowWith));
    QVERIFY(policy.refuseAddress(host, QHostAddress(u"fe80::1%lo"_s)));
    QVERIFY(policy.refuseAddress(host, QHostAddress()));
}

void TestAddressPolicy::refusesThisMachinesOwnAddresses()
{
    const auto local = [] {
        return QList { QHostAddress(u"203.0.113.7"_s), QHostAddress(u"2001:db8::7%eth0"_s) };
    };
    const auto policy = AddressPolicy::create(false, {}, local);
    QVERIFY(policy);
    for (const auto& host : { u"203.0.113.7"_s, u"[::ffff:203.0.113.7]"_s, u"[2001:db8::7]"_s })
        QVERIFY2(refusalOf(*policy, host), qPrintable(host));
    QVERIFY(policy->refuseAddress(at(u"a.test"_s), QHostAddress(u"::ffff:203.0.113.7"_s)));
    QVERIFY(!refusalOf(*policy, u"203.0.113.8"_s));
    QVERIFY(!refusalOf(*AddressPolicy::create(true, {}, local), u"203.0.113.7"_s));
}

void TestAddressPolicy::exceptionsAreForOneHostAndPort()
{
    const auto policy = policyWith({ u"127.0.0.1:8080"_s, u"[::1]:81"_s, u"db.test:5432"_s });
    const QHostAddress loopback(u"127.0.0.1"_s);
    QVERIFY(!refusalOf(policy, u"127.0.0.1:8080"_s));
    QVERIFY(!refusalOf(policy, u"127.1:8080"_s));
    QVERIFY(!refusalOf(policy, u"[::ffff:127.0.0.1]:8080"_s));
    QVERIFY(!refusalOf(policy, u"[::1]:81"_s));
    // By whichever name it is reached.
    QVERIFY(!refusalOf(policy, u"localhost:8080"_s, loopback));
    QVERIFY(!refusalOf(policy, u"a.test:8080"_s, loopback));
    QVERIFY(!refusalOf(policy, u"db.test:5432"_s, QHostAddress(u"10.0.0.9"_s)));

    QVERIFY(refusalOf(policy, u"127.0.0.1:8081"_s));
    QVERIFY(refusalOf(policy, u"127.0.0.2:8080"_s));
    QVERIFY(refusalOf(policy, u"[::1]:8080"_s));
    QVERIFY(refusalOf(policy, u"db.test:80"_s, loopback));
    QVERIFY(refusalOf(policy, u"a.test:5432"_s, QHostAddress(u"10.0.0.9"_s)));
    QVERIFY(
        refusalOf(policy, u"metadata.google.internal:8080"_s, QHostAddress(u"169.254.169.254"_s)));
    QVERIFY(policy.hasExceptionFor(5432));
    QVERIFY(!policy.hasExceptionFor(80));
    QVERIFY(policy.isException(at(u"a.test:8080"_s), loopback));
    QVERIFY(!policy.isException(at(u"a.test:8080"_s), QHostAddress(u"127.0.0.2"_s)));
}

void TestAddressPolicy::privateAllowedLiftsEverything()
{
    const auto policy = AddressPolicy::create(true, {});
    QVERIFY(policy);
    for (const auto& host : { u"localhost"_s, u"10.0.0.1"_s, u"169.254.169.254"_s, u"[::1]"_s })
        QVERIFY(!refusalOf(*policy, host));
}

void TestAddressPolicy::refusesBadExceptions()
{
    for (const auto& text : { u"127.0.0.1"_s, u"127.0.0.1:0"_s, u"a b:80"_s, u""_s, u"::1:80"_s }) {
        const auto policy = AddressPolicy::create(false, { text });
        QVERIFY(!policy);
        QCOMPARE(policy.error().kind, Kind::Invalid);
        QVERIFY(policy.error().message.startsWith(u"network.allowAddresses: "_s));
    }
}

QTEST_GUILESS_MAIN(TestAddressPolicy)
#include "tst_addresspolicy.moc"
