// SPDX-License-Identifier: MIT
#include "engine/sandbox/installrecipe.h"
#include "engine/sandbox/program.h"

#include "engine/core/hostpattern.h"

#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

using namespace isol8;
using namespace Qt::StringLiterals;

namespace {

CustomImage image(const QString& tag, Runtime runtime, const QStringList& packages)
{
    CustomImage made;
    made.tag = tag;
    made.runtime = runtime;
    made.packages = packages;
    return made;
}

bool isAllowed(const NetworkFilter& filter, const QString& host)
{
    return std::ranges::any_of(filter.allow, [&host](const QString& pattern) {
        return HostPattern::compile(pattern)->search(host) == HostPattern::Match::Yes;
    });
}

} // namespace

/// What is asked of package managers, and what is made of their answers.
class TestInstallRecipe : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void readsIndexes_data()
    {
        QTest::addColumn<int>("runtime");
        QTest::addColumn<QByteArray>("answer");
        QTest::addColumn<QStringList>("urls");
        const auto row = [](const char* name, Runtime runtime, const QByteArray& answer,
                             const QStringList& urls) {
            QTest::newRow(name) << int(runtime) << answer << urls;
        };
        const auto pypi = u"https://pypi.org/simple"_s;
        const auto npm = u"https://registry.npmjs.org/"_s;
        row("pip, nothing set", Runtime::Python, "", { pypi });
        row("pip, other settings", Runtime::Python, "global.timeout='60'\n", { pypi });
        row("pip, index", Runtime::Python, "global.index-url='https://a.test/simple'\n",
            { u"https://a.test/simple"_s });
        row("pip, from the image's environment", Runtime::Python,
            ":env:.index-url='http://a.test:81/x'\n", { u"http://a.test:81/x"_s });
        row("pip, more", Runtime::Python,
            "global.extra-index-url='\\nhttps://b.test/s\\nhttps://c.test/s'\n",
            { pypi, u"https://b.test/s"_s, u"https://c.test/s"_s });
        row("pip, trusted host is no index", Runtime::Python,
            "global.trusted-host='https://x.test'\n", { pypi });
        row("npm", Runtime::Node, R"({"registry":"https://n.test/","prefix":"https://no.test/"})",
            { u"https://n.test/"_s });
        row("npm, scopes", Runtime::Agent,
            R"({"@a:registry":"https://a.test/","registry":"https://n.test/"})",
            { u"https://a.test/"_s, u"https://n.test/"_s });
        row("npm, no answer", Runtime::Node, "not JSON", { npm });
        row("npm, another kind of value", Runtime::Node, R"({"registry":["https://x.test"]})",
            { npm });
        row("bun, nothing set", Runtime::Bun, "\n", { npm });
        row("bun", Runtime::Bun, "https://b.test/\n", { u"https://b.test/"_s });
        row("deno, nothing set", Runtime::Deno, "\nhttps://jsr.io/\n",
            { npm, u"https://jsr.io/"_s });
        row("deno", Runtime::Deno, "https://n.test\nhttps://j.test\n",
            { u"https://n.test"_s, u"https://j.test"_s });
        row("apt", Runtime::Bash,
            "'http://deb.debian.org/debian/dists/trixie/InRelease' deb.debian.org_InRelease 0 \n"
            "'https://s.test/x' s.test_x 0 \nhttp://no.test/ is not quoted\n",
            { u"http://deb.debian.org/debian/dists/trixie/InRelease"_s, u"https://s.test/x"_s });
        row("apt, local", Runtime::Bash, "'file:///srv/debian' x 0\n'cdrom://x' y 0\n",
            { u"http://deb.debian.org/debian"_s });
        row("no host", Runtime::Bash, "'http:///debian' x 0\n'https://' y 0\n",
            { u"http://deb.debian.org/debian"_s });
    }
    void readsIndexes()
    {
        QFETCH(int, runtime);
        QFETCH(QByteArray, answer);
        QFETCH(QStringList, urls);
        QCOMPARE(installrecipe::indexUrlsIn(Runtime(runtime), answer), urls);
    }

    void anAnswerIsBounded()
    {
        QByteArray answer;
        for (int i = 0; i < 10'000; ++i)
            answer += "'http://h" + QByteArray::number(i) + ".test/' x 0\n";
        QVERIFY(installrecipe::indexUrlsIn(Runtime::Bash, answer).size() <= 20);
    }

    void knowsWhereFilesAre()
    {
        QCOMPARE(installrecipe::hostsOf({ u"https://pypi.org/simple"_s }),
            (QStringList { u"pypi.org"_s, u"files.pythonhosted.org"_s }));
        QCOMPARE(installrecipe::hostsOf({ u"http://a.test:81/x"_s, u"https://a.test/"_s }),
            QStringList { u"a.test"_s });
    }

    void opensNothingElse()
    {
        NetworkFilter filter;
        filter.deny = { u"^evil"_s };
        const auto none = installrecipe::filterFor(filter, { u"reg.test"_s });
        QVERIFY(isAllowed(none, u"reg.test"_s));
        for (const auto* other : { "reg.test.evil.test", "xreg.test", "regxtest", "example.org" })
            QVERIFY2(!isAllowed(none, QString::fromLatin1(other)), other);
        QCOMPARE(none.deny, filter.deny);

        filter.allow = { u"^my\\.test$"_s };
        const auto own = installrecipe::filterFor(filter, { u"reg.test"_s });
        QVERIFY(isAllowed(own, u"reg.test"_s) && isAllowed(own, u"my.test"_s));

        // Without any host the list must not become one that allows all.
        const auto empty = installrecipe::filterFor({}, {});
        QVERIFY(!empty.allow.isEmpty());
        QVERIFY(!isAllowed(empty, u"example.org"_s));
        QVERIFY(!isAllowed(empty, QString()));
    }

    void theSandboxHasNoSayInTheQuestion()
    {
        const auto environment = installrecipe::questionEnvironment(
            { u"HOME=/root"_s, u"PATH=/bin"_s, u"PIP_INDEX_URL=https://i.test"_s });
        QCOMPARE(environment,
            (QByteArrayList { "PATH=/bin", "PIP_INDEX_URL=https://i.test", "HOME=/nonexistent" }));
        QVERIFY(installrecipe::questionEnvironment({}).first().startsWith("PATH=/usr/local/sbin:"));
        for (const auto& variable : environment)
            QVERIFY(!variable.contains("/sandbox"));
    }

    void scriptsAreShell_data()
    {
        QTest::addColumn<int>("runtime");
        for (const auto runtime : { Runtime::Python, Runtime::Node, Runtime::Bun, Runtime::Deno,
                 Runtime::Bash, Runtime::Agent })
            QTest::addRow("%d", int(runtime)) << int(runtime);
    }
    void scriptsAreShell()
    {
        QFETCH(int, runtime);
        for (const auto& script : { installrecipe::script(Runtime(runtime)),
                 installrecipe::question(Runtime(runtime)) }) {
            QProcess shell;
            shell.start(u"sh"_s, { u"-n"_s });
            shell.write(script);
            shell.closeWriteChannel();
            QVERIFY(shell.waitForFinished());
            QCOMPARE(shell.readAllStandardError(), QByteArray());
            QCOMPARE(shell.exitCode(), 0);
        }
        // Names of packages are arguments, never text of the script.
        QVERIFY(installrecipe::script(Runtime(runtime)).contains("\"$@\""));
    }

    void registriesAreTold()
    {
        const auto url = u"http://i.test:81/simple"_s;
        QCOMPARE(
            installrecipe::environment(Runtime::Python, url, {}).value(u"PIP_INDEX_URL"_s), url);
        QCOMPARE(installrecipe::environment(Runtime::Python, url, {}).value(u"PIP_TRUSTED_HOST"_s),
            u"i.test"_s);
        QVERIFY(!installrecipe::environment(Runtime::Python, u"https://i.test/"_s, {})
                .contains(u"PIP_TRUSTED_HOST"_s));
        QVERIFY(!installrecipe::environment(Runtime::Python, {}, {}).contains(u"PIP_INDEX_URL"_s));
        for (const auto runtime : { Runtime::Node, Runtime::Bun, Runtime::Deno })
            QCOMPARE(
                installrecipe::environment(runtime, url, {}).value(u"NPM_CONFIG_REGISTRY"_s), url);
        QCOMPARE(installrecipe::environment(Runtime::Bash, url, {}).value(u"APT_MIRROR"_s), url);
    }

    void programsFindWhatWasInstalled()
    {
        ExecutionRequest request;
        request.runtime = Runtime::Bash;
        QVERIFY(!environmentOf(request, {}, {}).join('\n').contains("/sandbox/.debian"));
        request.installPackages = { u"tree"_s };
        QVERIFY(
            environmentOf(request, {}, {}).join('\n').contains("LD_LIBRARY_PATH=/sandbox/.debian"));
        // A session still has what an earlier run has installed.
        ExecutionOptions session;
        session.mode = Mode::Persistent;
        request.installPackages.clear();
        QVERIFY(
            environmentOf(request, session, {}).join('\n').contains("/sandbox/.debian/usr/bin:"));
        request.runtime = Runtime::Deno;
        QVERIFY(environmentOf(request, session, {}).contains("DENO_DIR=/sandbox/.deno"));
        QVERIFY(environmentOf(request, session, { u"DENO_DIR=/opt/deno"_s })
                .contains("DENO_DIR=/opt/deno"));
        request.installPackages = { u"chalk"_s };
        QVERIFY(environmentOf(request, {}, { u"DENO_DIR=/opt/deno"_s })
                .contains("DENO_DIR=/sandbox/.deno"));
        QCOMPARE(installrecipe::environment(Runtime::Deno, {}, { u"DENO_DIR=/opt/deno"_s })
                     .value(u"ISOL8_BAKED_DENO_DIR"_s),
            u"/opt/deno"_s);
    }

    void prefersAnImageThatHasThem_data()
    {
        QTest::addColumn<QStringList>("packages");
        QTest::addColumn<int>("runtime");
        QTest::addColumn<QString>("tag");
        QTest::newRow("exactly") << QStringList { u"numpy"_s } << int(Runtime::Python) << u"one"_s;
        QTest::newRow("in any order")
            << QStringList { u"pandas"_s, u"numpy"_s } << int(Runtime::Python) << u"two"_s;
        QTest::newRow("superset") << QStringList { u"pandas"_s } << int(Runtime::Python)
                                  << u"two"_s;
        QTest::newRow("not all") << QStringList { u"numpy"_s, u"scipy"_s } << int(Runtime::Python)
                                 << QString();
        QTest::newRow("another version")
            << QStringList { u"numpy==1"_s } << int(Runtime::Python) << QString();
        QTest::newRow("another runtime")
            << QStringList { u"numpy"_s } << int(Runtime::Node) << QString();
        QTest::newRow("agent") << QStringList { u"chalk"_s } << int(Runtime::Agent) << u"n"_s;
    }
    void prefersAnImageThatHasThem()
    {
        QFETCH(QStringList, packages);
        QFETCH(int, runtime);
        const QList<CustomImage> images {
            image(u"all"_s, Runtime::Python, { u"numpy"_s, u"pandas"_s, u"polars"_s }),
            image(u"none"_s, Runtime::Python, {}),
            image(u"one"_s, Runtime::Python, { u"numpy"_s }),
            image(u"two"_s, Runtime::Python, { u"numpy"_s, u"pandas"_s }),
            image(u"n"_s, Runtime::Node, { u"chalk"_s }),
        };
        QTEST(installrecipe::imageWith(packages, Runtime(runtime), images), "tag");
    }
};

QTEST_GUILESS_MAIN(TestInstallRecipe)
#include "tst_installrecipe.moc"
