// SPDX-License-Identifier: MIT
#include "app/cli/target.h"

#include <QTemporaryDir>
#include <QTest>

using namespace Qt::StringLiterals;
using namespace isol8;
using namespace isol8::cli;

class TestTarget : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void choosesTheKey_data();
    void choosesTheKey();
    void refusesWhatCannotBe_data();
    void refusesWhatCannotBe();
};

namespace {

using Text = std::optional<QString>;

struct World {
    QTemporaryDir home;
    CredentialStore store { home.path() };
    Surroundings surroundings;

    explicit World(const Text& variable)
    {
        surroundings.variable = [variable](const QString& name) {
            return name == "ISOL8_API_KEY"_L1 ? variable : std::nullopt;
        };
    }
    void keep(const QString& origin, int days) const
    {
        QVERIFY(
            store.save(origin, { u"stored"_s, {}, QDateTime::currentDateTimeUtc().addDays(days) }));
    }
};

} // namespace

void TestTarget::choosesTheKey_data()
{
    QTest::addColumn<Text>("typed");
    QTest::addColumn<Text>("variable");
    QTest::addColumn<QString>("storedFor");
    QTest::addColumn<int>("days");
    QTest::addColumn<QString>("key"); // Empty: none is found.
    const auto row = [](const char* name, const Text& typed, const Text& variable,
                         const QString& storedFor, int days, const QString& key) {
        QTest::newRow(name) << typed << variable << storedFor << days << key;
    };
    const auto same = u"https://example.org:443"_s;
    row("typed", u"typed"_s, u"variable"_s, same, 1, u"typed"_s);
    row("variable", std::nullopt, u"variable"_s, same, 1, u"variable"_s);
    row("stored", std::nullopt, std::nullopt, same, 1, u"stored"_s);
    row("empty variable", std::nullopt, u""_s, same, 1, u"stored"_s);
    row("typed empty", u""_s, u"variable"_s, same, 1, {});
    row("expired", std::nullopt, std::nullopt, same, -1, {});
    row("other port", std::nullopt, std::nullopt, u"https://example.org:444"_s, 1, {});
    row("other scheme", std::nullopt, std::nullopt, u"http://example.org:443"_s, 1, {});
    row("other host", std::nullopt, std::nullopt, u"https://a.example.org:443"_s, 1, {});
}

void TestTarget::choosesTheKey()
{
    QFETCH(Text, typed);
    QFETCH(Text, variable);
    QFETCH(QString, storedFor);
    QFETCH(int, days);
    QFETCH(QString, key);
    const World world(variable);
    world.keep(storedFor, days);
    const auto target
        = resolveTarget(u"https://Example.org/"_s, typed, world.surroundings, world.store);
    QCOMPARE(target.has_value(), !key.isEmpty());
    if (target)
        QCOMPARE(target->key, key);
    else
        QVERIFY(target.error().message.startsWith(u"API key required"_s));
}

void TestTarget::refusesWhatCannotBe_data()
{
    QTest::addColumn<QString>("host");
    QTest::addColumn<QString>("key");
    QTest::newRow("no address") << u"localhost:3000"_s << u"secret-key"_s;
    QTest::newRow("white space") << u"http://localhost"_s << u"secret-key x"_s;
    QTest::newRow("header") << u"http://localhost"_s << u"secret-key\r\nX: y"_s;
}

void TestTarget::refusesWhatCannotBe()
{
    QFETCH(QString, host);
    QFETCH(QString, key);
    const World world(std::nullopt);
    const auto target = resolveTarget(host, key, world.surroundings, world.store);
    QVERIFY(!target);
    QCOMPARE(target.error().kind, Kind::Invalid);
    QVERIFY(!target.error().message.contains(u"secret-key"_s));
}

QTEST_GUILESS_MAIN(TestTarget)
#include "tst_target.moc"
