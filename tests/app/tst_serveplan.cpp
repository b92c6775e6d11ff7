// SPDX-License-Identifier: MIT
#include "app/cli/serveplan.h"

#include <QTest>

using namespace isol8;
using namespace isol8::cli;
using namespace Qt::StringLiterals;

namespace {

Result<ServePlan> plan(const ServeOptions& options, const QMap<QString, QString>& variables = {})
{
    Surroundings surroundings;
    surroundings.variable = [variables](const QString& name) {
        return variables.contains(name) ? std::optional(variables.value(name)) : std::nullopt;
    };
    return planServe(options, surroundings);
}

ServeOptions withKey()
{
    ServeOptions options;
    options.key = u"key"_s;
    return options;
}

} // namespace

/// Where the server listens, by flags and environment.
class TestServePlan : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void portHasAnOrder();
    void keyIsNeeded();
    void binds_data();
    void binds();
    void refuses_data();
    void refuses();
};

void TestServePlan::portHasAnOrder()
{
    auto options = withKey();
    QCOMPARE(plan(options)->address.port, 3000);
    QCOMPARE(plan(options, { { u"PORT"_s, u"81"_s } })->address.port, 81);
    const QMap<QString, QString> both { { u"PORT"_s, u"81"_s }, { u"ISOL8_PORT"_s, u"82"_s } };
    QCOMPARE(plan(options, both)->address.port, 82);
    options.port = u"83"_s;
    QCOMPARE(plan(options, both)->address.port, 83);
    const auto wrong = plan(withKey(), { { u"PORT"_s, u"high"_s } });
    QVERIFY(!wrong);
    QVERIFY(wrong.error().message.contains("$PORT"_L1));
}

void TestServePlan::keyIsNeeded()
{
    const auto none = plan({});
    QVERIFY(!none);
    QVERIFY(none.error().message.startsWith("API key required"_L1));
    QVERIFY(!plan({}, { { u"ISOL8_API_KEY"_s, QString() } }));
    QCOMPARE(plan({}, { { u"ISOL8_API_KEY"_s, u"env"_s } })->masterKey, "env"_ba);
    QCOMPARE(plan(withKey(), { { u"ISOL8_API_KEY"_s, u"env"_s } })->masterKey, "key"_ba);
    ServeOptions options;
    options.key = u"two words"_s;
    const auto blank = plan(options);
    QVERIFY(!blank);
    QVERIFY(!blank.error().message.contains("two"_L1));
}

void TestServePlan::binds_data()
{
    QTest::addColumn<QString>("bind");
    QTest::addColumn<QString>("url");
    QTest::addColumn<bool>("isLocal");
    QTest::newRow("default") << QString() << u"http://localhost:3000"_s << true;
    QTest::newRow("name") << u"localhost"_s << u"http://localhost:3000"_s << true;
    QTest::newRow("IPv6 loopback") << u"::1"_s << u"http://localhost:3000"_s << true;
    QTest::newRow("all") << u"0.0.0.0"_s << u"http://localhost:3000"_s << false;
    QTest::newRow("all IPv6") << u"::"_s << u"http://localhost:3000"_s << false;
    QTest::newRow("one") << u"192.0.2.1"_s << u"http://192.0.2.1:3000"_s << false;
    QTest::newRow("one IPv6") << u"2001:db8::1"_s << u"http://[2001:db8::1]:3000"_s << false;
    QTest::newRow("socket") << u"unix:/run/x"_s << u"unix:/run/x"_s << true;
}

void TestServePlan::binds()
{
    QFETCH(QString, bind);
    QFETCH(QString, url);
    QFETCH(bool, isLocal);
    auto options = withKey();
    if (!bind.isEmpty())
        options.bind = bind;
    const auto planned = plan(options);
    QVERIFY(planned);
    QCOMPARE(serverUrl(planned->address, planned->address.port), url);
    QCOMPARE(isLoopback(planned->address), isLocal);
}

void TestServePlan::refuses_data()
{
    QTest::addColumn<QString>("bind");
    QTest::newRow("host name") << u"example.org"_s;
    QTest::newRow("with a port") << u"127.0.0.1:80"_s;
    QTest::newRow("relative socket") << u"unix:run/x"_s;
    QTest::newRow("empty") << u""_s;
}

void TestServePlan::refuses()
{
    QFETCH(QString, bind);
    auto options = withKey();
    options.bind = bind;
    const auto planned = plan(options);
    QVERIFY(!planned);
    QVERIFY(planned.error().message.contains("--bind"_L1));
    options = withKey();
    options.tlsKey = u"key.pem"_s;
    QVERIFY(!plan(options));
}

QTEST_GUILESS_MAIN(TestServePlan)
#include "tst_serveplan.moc"
