// SPDX-License-Identifier: MIT
#include "engine/proxy/resolver.h"

#include "engine/core/hostname.h"

#include <QCoroTask>
#include <QTemporaryFile>
#include <QTest>
#include <QUrl>

using namespace isol8;
using namespace isol8::proxy;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;
using Addresses = QList<QHostAddress>;

namespace {

/// A lookup that answers when it is told to.
struct Scripted {
    QStringList names;
    QList<SystemResolver::Answer> answers;

    SystemResolver::Lookup lookup()
    {
        return [this](const QString& name, const SystemResolver::Answer& answer) {
            names << name;
            answers << answer;
        };
    }
};

struct Outcome {
    std::optional<Result<Addresses>> result;
};

QCoro::Task<> follow(Task<Addresses> task, std::shared_ptr<Outcome> outcome)
{
    outcome->result = co_await task;
}

std::shared_ptr<Outcome> ask(SystemResolver& resolver, const QString& name,
    std::chrono::milliseconds timeout = 60s, const CancelToken& cancel = {})
{
    auto outcome = std::make_shared<Outcome>();
    follow(resolver.resolve(name, timeout, cancel), outcome);
    return outcome;
}

const QString noFile = u"/nonexistent/hosts"_s;

} // namespace

class TestResolver : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void answersFromTheHostsFile();
    void asksForWhatIsNotInTheFile();
    void boundsLookups();
    void lookupsGivenUpOnStillCount();
    void waitingOnesCanBeGivenUp();
    void cancels();
    void answersAfterTheEndAreHarmless();
    void thisMachineKnowsItself();
    void acceptedNamesCanBeLookedUp();
};

void TestResolver::answersFromTheHostsFile()
{
    QTemporaryFile file;
    QVERIFY(file.open());
    file.write("# 10.0.0.9 db.test\n127.0.0.5\tdb.test DB2.test # and more\n"
               "2001:db8::5 db.test\nnonsense db.test\n10.0.0.1\n\n127.0.0.6 other.test");
    file.close();
    Scripted scripted;
    SystemResolver resolver(1, file.fileName(), scripted.lookup());
    const auto both = ask(resolver, u"db.test"_s);
    QVERIFY(both->result && *both->result);
    QCOMPARE(**both->result,
        Addresses({ QHostAddress(u"127.0.0.5"_s), QHostAddress(u"2001:db8::5"_s) }));
    QCOMPARE(**ask(resolver, u"db2.test"_s)->result, Addresses { QHostAddress(u"127.0.0.5"_s) });
    QCOMPARE(**ask(resolver, u"other.test"_s)->result, Addresses { QHostAddress(u"127.0.0.6"_s) });
    QVERIFY(scripted.names.isEmpty());
}

void TestResolver::asksForWhatIsNotInTheFile()
{
    Scripted scripted;
    SystemResolver resolver(1, noFile, scripted.lookup());
    const auto found = ask(resolver, u"a.test"_s);
    QVERIFY(!found->result);
    QCOMPARE(scripted.names, QStringList { u"a.test"_s });
    scripted.answers[0](Addresses { QHostAddress(u"203.0.113.1"_s) });
    QCOMPARE(**found->result, Addresses { QHostAddress(u"203.0.113.1"_s) });

    const auto missing = ask(resolver, u"b.test"_s);
    scripted.answers[1](failure(Kind::NotFound, u"no such name"_s));
    QCOMPARE(missing->result->error().kind, Kind::NotFound);
}

void TestResolver::boundsLookups()
{
    Scripted scripted;
    SystemResolver resolver(2, noFile, scripted.lookup());
    QList<std::shared_ptr<Outcome>> outcomes;
    for (int i = 0; i < 5; ++i)
        outcomes << ask(resolver, u"n%1.test"_s.arg(i));
    QCOMPARE(scripted.names.size(), 2);
    for (int i = 0; i < 5; ++i) {
        scripted.answers[i](Addresses { QHostAddress(quint32(i + 1)) });
        QCOMPARE(**outcomes[i]->result, Addresses { QHostAddress(quint32(i + 1)) });
        QCOMPARE(scripted.names.size(), std::min(5, i + 3));
    }
}

void TestResolver::lookupsGivenUpOnStillCount()
{
    Scripted scripted;
    SystemResolver resolver(1, noFile, scripted.lookup());
    const auto slow = ask(resolver, u"slow.test"_s, 1ms);
    QTRY_VERIFY(slow->result);
    QCOMPARE(slow->result->error().kind, Kind::Timeout);
    QVERIFY(slow->result->error().message.contains(u"slow.test"_s));
    const auto next = ask(resolver, u"next.test"_s);
    QCOMPARE(scripted.names.size(), 1);
    scripted.answers[0](Addresses { QHostAddress(1u) });
    QCOMPARE(scripted.names.size(), 2);
    scripted.answers[1](Addresses { QHostAddress(2u) });
    QCOMPARE(**next->result, Addresses { QHostAddress(2u) });
}

void TestResolver::waitingOnesCanBeGivenUp()
{
    Scripted scripted;
    SystemResolver resolver(1, noFile, scripted.lookup());
    const auto first = ask(resolver, u"first.test"_s);
    const auto second = ask(resolver, u"second.test"_s, 1ms);
    const CancelToken cancel;
    const auto third = ask(resolver, u"third.test"_s, 60s, cancel);
    const auto fourth = ask(resolver, u"fourth.test"_s);
    QTRY_VERIFY(second->result);
    cancel.cancel();
    QCOMPARE(third->result->error().kind, Kind::Cancelled);
    scripted.answers[0](Addresses { QHostAddress(1u) });
    QCOMPARE(scripted.names, QStringList({ u"first.test"_s, u"fourth.test"_s }));
    scripted.answers[1](Addresses { QHostAddress(1u) });
    QVERIFY(fourth->result);
}

void TestResolver::cancels()
{
    Scripted scripted;
    SystemResolver resolver(1, noFile, scripted.lookup());
    const CancelToken cancel;
    const auto found = ask(resolver, u"a.test"_s, 60s, cancel);
    cancel.cancel();
    QVERIFY(found->result);
    QCOMPARE(found->result->error().kind, Kind::Cancelled);
    QCOMPARE(ask(resolver, u"b.test"_s, 60s, cancel)->result->error().kind, Kind::Cancelled);
}

void TestResolver::answersAfterTheEndAreHarmless()
{
    Scripted scripted;
    auto resolver = std::make_unique<SystemResolver>(1, noFile, scripted.lookup());
    const auto found = ask(*resolver, u"a.test"_s);
    resolver.reset();
    scripted.answers[0](Addresses { QHostAddress(1u) });
    QVERIFY(found->result && *found->result);
}

void TestResolver::thisMachineKnowsItself()
{
    SystemResolver resolver(1);
    const auto found = QCoro::waitFor(resolver.resolve(u"localhost"_s, 60s, {}));
    QVERIFY(found);
    QVERIFY(found->contains(QHostAddress(u"127.0.0.1"_s)));
}

void TestResolver::acceptedNamesCanBeLookedUp()
{
    // What QHostInfo does with a name before it asks.
    for (const auto& name : { u"a.test"_s, u"a"_s, u"r3---sn-4g5e.test"_s, u"xn--bcher-kva.test"_s,
             u"xn--fa-hia.test"_s, u"0xyz.test"_s, u"1.2.3.4.test"_s, QString(63, u'a') }) {
        const auto host = hostNameFromText(name);
        QVERIFY2(host, qPrintable(name));
        QCOMPARE(QString::fromLatin1(QUrl::toAce(host->text + u'.')), name + u'.');
    }
}

QTEST_GUILESS_MAIN(TestResolver)
#include "tst_resolver.moc"
