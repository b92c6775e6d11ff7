// SPDX-License-Identifier: MIT
#include "tests/app/planfixture.h"

#include <QTest>

using namespace Qt::StringLiterals;
using namespace isol8;
using namespace isol8::cli;
using namespace isol8::tests;

/// What of a run's plan reaches out: code from URLs, filtered and host networking.
class TestReachPlan : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void plansCodeFromUrls_data();
    void plansCodeFromUrls();
    void refusesBadUrls_data();
    void refusesBadUrls();
    void plansFilters();
    void warnsOfTheHostsNetwork();
};

void TestReachPlan::plansCodeFromUrls_data()
{
    QTest::addColumn<RunOptions>("options");
    QTest::addColumn<QString>("url");
    QTest::addColumn<Runtime>("runtime");
    const auto row = [](const char* name, auto change, const QString& url, Runtime runtime) {
        RunOptions options;
        change(options);
        QTest::newRow(name) << options << url << runtime;
    };
    const auto address = u"https://example.test/a/b.sh?x=1.py"_s;
    row("url", [&](auto& o) { o.url = address; }, address, Runtime::Bash);
    row(
        "github", [](auto& o) { o.github = u"o/r/main/run.mts"_s; },
        u"https://raw.githubusercontent.com/o/r/main/run.mts"_s, Runtime::Deno);
    row(
        "gist", [](auto& o) { o.gist = u"1f/run.py"_s; },
        u"https://gist.githubusercontent.com/raw/1f/run.py"_s, Runtime::Python);
    row(
        "runtime",
        [](auto& o) {
            o.url = u"https://example.test/"_s;
            o.runtime = u"node"_s;
        },
        u"https://example.test/"_s, Runtime::Node);
    row(
        "before the others",
        [&](auto& o) {
            o.url = address;
            o.eval = "1";
            o.file = u"a.py"_s;
        },
        address, Runtime::Bash);
}

void TestReachPlan::plansCodeFromUrls()
{
    QFETCH(RunOptions, options);
    options.hash = QString(64, u'A');
    options.allowInsecureCodeUrl = true;
    const auto planned = plan(options);
    QVERIFY2(planned, qPrintable(errorOf(options)));
    QTEST(planned->request.codeUrl, "url");
    QTEST(planned->request.runtime, "runtime");
    QCOMPARE(planned->request.codeHash, QString(64, u'A'));
    QVERIFY(planned->request.allowInsecureCodeUrl);
    QVERIFY(planned->request.code.isNull());
    QCOMPARE(planned->warnings.size(), options.eval ? 1 : 0);
}

void TestReachPlan::refusesBadUrls_data()
{
    QTest::addColumn<RunOptions>("options");
    QTest::addColumn<QString>("text");
    const auto row = [](const char* name, auto change, const QString& text) {
        RunOptions options;
        options.url = u"https://example.test/a.py"_s;
        change(options);
        QTest::newRow(name) << options << text;
    };
    row("empty", [](auto& o) { o.url = QString(); }, u"--url"_s);
    row("relative", [](auto& o) { o.url = u"a.py"_s; }, u"codeUrl"_s);
    row("two", [](auto& o) { o.gist = u"1/a.py"_s; }, u"exclude each other"_s);
    row("cmd", [](auto& o) { o.command = u"ls"_s; }, u"--cmd excludes"_s);
    row("no extension", [](auto& o) { o.url = u"https://example.test/"_s; }, u"--runtime"_s);
    row("bad hash", [](auto& o) { o.hash = u"abc"_s; }, u"--hash"_s);
    row(
        "github",
        [](auto& o) {
            o.url.reset();
            o.github = u"o/r"_s;
        },
        u"owner/repo/ref/path"_s);
    row(
        "hash alone",
        [](auto& o) {
            o.url.reset();
            o.eval = "1";
            o.hash = QString(64, u'a');
        },
        u"belong to --url"_s);
}

void TestReachPlan::refusesBadUrls()
{
    QFETCH(RunOptions, options);
    QFETCH(QString, text);
    QVERIFY2(errorOf(options).contains(text), qPrintable(errorOf(options)));
}

void TestReachPlan::plansFilters()
{
    auto options = inlineCode();
    options.network = u"filtered"_s;
    Settings settings;
    settings.network.whitelist = { u"configured"_s };
    settings.network.blacklist = { u"refused"_s };
    settings.network.ports = { 8080 };
    settings.network.allowAddresses = { u"127.0.0.1:8080"_s };
    const auto configured = plan(options, settings);
    QVERIFY(configured);
    QCOMPARE(configured->options.network, NetworkMode::Filtered);
    QCOMPARE(configured->options.networkFilter.allow, settings.network.whitelist);
    QCOMPARE(configured->options.networkFilter.deny, settings.network.blacklist);
    QVERIFY(!configured->options.isNetworkLogged);
    QVERIFY(configured->warnings.isEmpty());

    // Each list that is typed replaces the configured one.
    options.allow = QStringList { u"^a$"_s };
    options.allowHost = QStringList { u"*.B.test"_s };
    options.logNetwork = true;
    const auto typed = plan(options, settings);
    QVERIFY(typed);
    QCOMPARE(typed->options.networkFilter.allow, QStringList({ u"^a$"_s, u"^.*\\.b\\.test$"_s }));
    QCOMPARE(typed->options.networkFilter.deny, settings.network.blacklist);
    QCOMPARE(typed->options.networkFilter.ports, settings.network.ports);
    QCOMPARE(typed->options.networkFilter.allowAddresses, settings.network.allowAddresses);
    QVERIFY(typed->options.isNetworkLogged);
    options.denyHost = QStringList { u"c.test"_s };
    QCOMPARE(plan(options, settings)->options.networkFilter.deny, QStringList { u"^c\\.test$"_s });

    // A server gets the patterns, too.
    options.host = u"http://localhost:3000"_s;
    QCOMPARE(plan(options, settings)->options.networkFilter.deny, QStringList { u"^c\\.test$"_s });
    // The configured network counts as well.
    options.host.reset();
    options.network.reset();
    settings.defaults.network = NetworkMode::Filtered;
    QVERIFY(plan(options, settings));
}

void TestReachPlan::warnsOfTheHostsNetwork()
{
    auto options = inlineCode();
    options.network = u"host"_s;
    const auto planned = plan(options);
    QVERIFY(planned);
    QVERIFY(planned->warnings.join(u' ').contains(u"whole network"_s));
    options.host = u"http://localhost:3000"_s;
    QVERIFY(plan(options)->warnings.isEmpty());
}

QTEST_GUILESS_MAIN(TestReachPlan)
#include "tst_reachplan.moc"
