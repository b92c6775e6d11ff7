// SPDX-License-Identifier: MIT
#include "engine/images/imagebuilder.h"
#include "tests/live/enginetest.h"
#include "tests/support/localserver.h"

#include <QCoroTask>
#include <QProcess>

using namespace isol8;
using namespace isol8::test;
using namespace isol8::tests;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace {

/// A wheel of one module, as pip takes it, and larger by @p ballast bytes.
QByteArray wheel(const QString& name, const QString& module, int ballast = 0)
{
    QProcess python;
    python.start(u"python3"_s,
        { u"-c"_s, uR"(
import io, sys, zipfile
name, module, ballast = sys.argv[1:]
info = f'{name}-1.0.dist-info'
out = io.BytesIO()
with zipfile.ZipFile(out, 'w') as archive:
    archive.writestr(f'{name}.py', module + '#' * int(ballast))
    archive.writestr(f'{info}/METADATA', f'Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n')
    archive.writestr(f'{info}/WHEEL', 'Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n')
    archive.writestr(f'{info}/RECORD', f'{name}.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n')
sys.stdout.buffer.write(out.getvalue())
)"_s,
            name, module, QString::number(ballast) });
    return python.waitForFinished() ? python.readAllStandardOutput() : QByteArray();
}

} // namespace

/// Packages that are installed at the start of a run: pip's from an index that the test serves on
/// loopback, the others' from their public registries.
class TestInstall : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void cleanupTestCase();
    void pipInstalls();
    void publicRegistries_data();
    void publicRegistries();
    void aSessionKeepsWhatWasInstalled();
    void onlyTheRegistryIsReached();
    void theRegistryIsNotTheCodes();
    void noSuchPackage_data();
    void noSuchPackage();
    void noNetworkIsSaid();
    void noSpaceIsSaid();
    void itsTimeIsTheRuns();
    void aSessionsFilesHaveNoSay();
    void imagesThatHaveThemAreUsed();
    void badNamesAreRefused();

private:
    [[nodiscard]] ExecutionOptions filtered() const;
    /// With the test's own index for pip.
    [[nodiscard]] ExecutionOptions ownIndex() const;
    [[nodiscard]] static ExecutionRequest installing(
        Runtime runtime, const QStringList& packages, const QByteArray& code);

    std::unique_ptr<EngineFixture> m_fixture;
    std::unique_ptr<LocalServer> m_index;
};

void TestInstall::initTestCase()
{
    m_fixture = std::make_unique<EngineFixture>();
    m_index = std::make_unique<LocalServer>();
    QVERIFY(m_index->isListening());
    m_index->addBody(u"/simple/greeting/"_s,
        "<a href=\"/files/greeting-1.0-py3-none-any.whl\">greeting-1.0-py3-none-any.whl</a>",
        "text/html");
    m_index->addBody(u"/files/greeting-1.0-py3-none-any.whl"_s,
        wheel(u"greeting"_s, u"import os\nuid = os.getuid()\nword = 'hello from a wheel'\n"_s));
}

void TestInstall::cleanupTestCase()
{
    QVERIFY(m_fixture->isNothingLeft());
    m_fixture.reset();
}

ExecutionOptions TestInstall::filtered() const
{
    ExecutionOptions options;
    options.network = NetworkMode::Filtered;
    options.isNetworkLogged = true;
    options.timeout = 240s;
    // Where HTTPS is inspected this machine's own authorities are needed; elsewhere they do no
    // harm.
    options.caBundlePath = u"/etc/ssl/certs/ca-certificates.crt"_s;
    return options;
}

ExecutionOptions TestInstall::ownIndex() const
{
    auto options = filtered();
    options.caBundlePath.clear();
    options.registries.insert(Runtime::Python, m_index->url(u"/simple"_s));
    options.networkFilter.allowAddresses = { u"127.0.0.1:%1"_s.arg(m_index->port()) };
    return options;
}

ExecutionRequest TestInstall::installing(
    Runtime runtime, const QStringList& packages, const QByteArray& code)
{
    auto request = requestOf(runtime, code);
    request.installPackages = packages;
    return request;
}

void TestInstall::pipInstalls()
{
    const auto run = m_fixture->start(installing(Runtime::Python, { u"greeting"_s },
                                          "import greeting; print(greeting.word, greeting.uid)"),
        ownIndex());
    const auto result = run->result();
    RUN_OR_FAIL(result);
    QVERIFY2(result->exitCode == 0, run->standardError.constData());
    QCOMPARE(result->standardOutput, "hello from a wheel 100\n");
    // Progress was told while it lasted, and is no part of what the program wrote.
    QVERIFY2(run->standardError.contains("greeting"), run->standardError.constData());
    QCOMPARE(result->standardError, QByteArray());
    QVERIFY(result->phases.install.count() > 0);
    QVERIFY(result->networkBytesIn > 0);
}

void TestInstall::publicRegistries_data()
{
    QTest::addColumn<int>("runtime");
    QTest::addColumn<QStringList>("packages");
    QTest::addColumn<QByteArray>("code");
    QTest::newRow("npm") << int(Runtime::Node) << QStringList { u"left-pad@1.3.0"_s }
                         << "import pad from 'left-pad'; console.log(pad('x', 3, '.'))"_ba;
    QTest::newRow("bun") << int(Runtime::Bun) << QStringList { u"left-pad@1.3.0"_s }
                         << "import pad from 'left-pad'; console.log(pad('x', 3, '.'))"_ba;
    QTest::newRow("deno")
        << int(Runtime::Deno) << QStringList { u"left-pad@1.3.0"_s }
        << "import pad from 'npm:left-pad@1.3.0'; console.log(pad('x', 3, '.'))"_ba;
    // With a library of its own, so that dependencies are seen to come along.
    QTest::newRow("apt")
        << int(Runtime::Bash) << QStringList { u"toilet"_s }
        << "toilet --version | grep -q TOIlet && ldd $(command -v toilet) | grep -q "
           "/sandbox/.debian && echo ..x"_ba;
}

void TestInstall::publicRegistries()
{
    QFETCH(int, runtime);
    QFETCH(QStringList, packages);
    QFETCH(QByteArray, code);
    const auto run = m_fixture->start(installing(Runtime(runtime), packages, code), filtered());
    const auto result = run->result();
    RUN_OR_FAIL(result);
    QVERIFY2(result->exitCode == 0, run->standardError.constData());
    QCOMPARE(result->standardOutput, "..x\n");
    QVERIFY2(result->violations.isEmpty(), qPrintable(result->violations.value(0).detail));
}

void TestInstall::aSessionKeepsWhatWasInstalled()
{
    const auto session = sessionNamed(u"install"_s);
    auto options = ownIndex();
    options.mode = Mode::Persistent;
    const auto first = m_fixture->run(
        installing(Runtime::Python, { u"greeting"_s }, "import greeting"), options, session);
    RUN_OR_FAIL(first);
    QCOMPARE(first->exitCode, 0);
    const auto second = m_fixture->run(
        requestOf(Runtime::Python, "import greeting; print(greeting.word)"), {}, session);
    RUN_OR_FAIL(second);
    QCOMPARE(second->standardOutput, "hello from a wheel\n");
    QVERIFY(QCoro::waitFor(m_fixture->engine().stopSession(session)));
}

void TestInstall::onlyTheRegistryIsReached()
{
    // NET-30: a package's own script reaches nothing but the registry.
    LocalServer other;
    other.addBody(u"/loot"_s, "loot");
    m_index->addBody(
        u"/simple/nosy/"_s, "<a href=\"/files/nosy-1.0.tar.gz\">nosy-1.0.tar.gz</a>", "text/html");
    QProcess python;
    python.start(u"python3"_s,
        { u"-c"_s, uR"(
import io, sys, tarfile
project = '''
[build-system]
requires = []
build-backend = 'nosy'
backend-path = ['.']
'''
backend = f'''
import os, urllib.request
def get_requires_for_build_wheel(config_settings=None):
    try:
        urllib.request.urlopen('{sys.argv[1]}')
        outcome = 'reached'
    except Exception as error:
        outcome = f'refused {{error}}'
    raise RuntimeError(f'uid {{os.getuid()}} {{outcome}}')
'''
out = io.BytesIO()
with tarfile.open(fileobj=out, mode='w:gz') as archive:
    for name, content in ('pyproject.toml', project), ('nosy.py', backend), ('PKG-INFO', 'Metadata-Version: 1.0\nName: nosy\nVersion: 1.0\n'):
        info = tarfile.TarInfo('nosy-1.0/' + name)
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content.encode()))
sys.stdout.buffer.write(out.getvalue())
)"_s,
            other.url(u"/loot"_s) });
    QVERIFY(python.waitForFinished());
    m_index->addBody(u"/files/nosy-1.0.tar.gz"_s, python.readAllStandardOutput());

    const auto refused
        = m_fixture->run(installing(Runtime::Python, { u"nosy"_s }, "print('ran')"), ownIndex());
    RUN_OR_FAIL(refused);
    QVERIFY(refused->exitCode != 0);
    QCOMPARE(refused->ending.reason, EndReason::InstallFailed);
    QCOMPARE(refused->standardOutput, QByteArray());
    QCOMPARE(other.count("/loot"), 0);
    QVERIFY2(
        refused->standardError.contains("uid 100 refused "), refused->standardError.constData());
}

void TestInstall::theRegistryIsNotTheCodes()
{
    auto options = ownIndex();
    options.networkFilter.allow = { u"^my\\.test$"_s };
    // The exception alone opens nothing: the list of hosts counts as well.
    const auto code = "import greeting, urllib.request\ntry:\n    urllib.request.urlopen('"
        + m_index->url(u"/simple/greeting/"_s).toUtf8()
        + "')\n    print('reached')\nexcept Exception as error:\n    print(error)\n";
    const auto result
        = m_fixture->run(installing(Runtime::Python, { u"greeting"_s }, code), options);
    RUN_OR_FAIL(result);
    QVERIFY2(result->exitCode == 0, result->standardError.constData());
    QCOMPARE(result->standardOutput, "HTTP Error 403: Forbidden\n");
}

void TestInstall::noSuchPackage_data()
{
    QTest::addColumn<int>("runtime");
    QTest::newRow("pip") << int(Runtime::Python);
    QTest::newRow("npm") << int(Runtime::Node);
    QTest::newRow("bun") << int(Runtime::Bun);
    QTest::newRow("deno") << int(Runtime::Deno);
    QTest::newRow("apt") << int(Runtime::Bash);
}

void TestInstall::noSuchPackage()
{
    QFETCH(int, runtime);
    const auto name = u"isol8-no-such-package"_s;
    const auto result = m_fixture->run(installing(Runtime(runtime), { name }, "ran"),
        runtime == int(Runtime::Python) ? ownIndex() : filtered());
    RUN_OR_FAIL(result);
    QVERIFY(result->exitCode != 0);
    QCOMPARE(result->ending.reason, EndReason::InstallFailed);
    QCOMPARE(result->standardOutput, QByteArray());
    const auto sentence = "isol8: cannot install: there is no package " + name.toUtf8();
    QVERIFY2(result->standardError.contains(sentence), result->standardError.constData());
}

void TestInstall::noNetworkIsSaid()
{
    const auto none = m_fixture->run(installing(Runtime::Python, { u"greeting"_s }, "ran"));
    QVERIFY(!none);
    QCOMPARE(none.error().kind, Kind::Invalid);
    QVERIFY2(none.error().message.contains(u"--net filtered"_s), qPrintable(none.error().message));
    // An index that is not there.
    auto options = ownIndex();
    options.registries[Runtime::Python] = u"http://127.0.0.1:1/simple"_s;
    options.networkFilter.allowAddresses = { u"127.0.0.1:1"_s };
    const auto gone
        = m_fixture->run(installing(Runtime::Python, { u"greeting"_s }, "ran"), options);
    RUN_OR_FAIL(gone);
    QCOMPARE(gone->ending.reason, EndReason::InstallFailed);
    QVERIFY2(
        gone->standardError.contains("isol8: cannot install: "), gone->standardError.constData());
    // One that the rules do not let through, which says what would.
    options.registries[Runtime::Python] = u"http://10.1.2.3/simple"_s;
    const auto refused
        = m_fixture->run(installing(Runtime::Python, { u"greeting"_s }, "ran"), options);
    RUN_OR_FAIL(refused);
    QCOMPARE(refused->ending.reason, EndReason::InstallFailed);
    QVERIFY2(refused->standardError.contains("10.1.2.3 is a private address"),
        refused->standardError.constData());
    QVERIFY(!refused->violations.isEmpty());
}

void TestInstall::noSpaceIsSaid()
{
    m_index->addBody(u"/simple/large/"_s,
        "<a href=\"/files/large-1.0-py3-none-any.whl\">large-1.0-py3-none-any.whl</a>",
        "text/html");
    m_index->addBody(u"/files/large-1.0-py3-none-any.whl"_s, wheel(u"large"_s, u"\n"_s, 4 << 20));
    auto options = ownIndex();
    options.sandboxSizeBytes = 2 << 20;
    const auto result
        = m_fixture->run(installing(Runtime::Python, { u"large"_s }, "print('ran')"), options);
    RUN_OR_FAIL(result);
    QCOMPARE(result->ending.reason, EndReason::InstallFailed);
    QVERIFY2(result->standardError.contains("--sandbox-size"), result->standardError.constData());
}

void TestInstall::itsTimeIsTheRuns()
{
    LocalServer silent;
    silent.add(u"/simple/greeting/"_s, "", LocalServer::End::Hold);
    auto options = ownIndex();
    options.registries[Runtime::Python] = silent.url(u"/simple"_s);
    options.networkFilter.allowAddresses = { u"127.0.0.1:%1"_s.arg(silent.port()) };
    options.timeout = 4s;
    const auto result
        = m_fixture->run(installing(Runtime::Python, { u"greeting"_s }, "print('ran')"), options);
    RUN_OR_FAIL(result);
    QVERIFY(result->isTimedOut);
    QCOMPARE(result->ending.reason, EndReason::Timeout);
    QCOMPARE(result->standardOutput, QByteArray());
}

void TestInstall::aSessionsFilesHaveNoSay()
{
    // Whoever wrote the session's files cannot make the package manager name a host of theirs.
    const auto session = sessionNamed(u"planted"_s);
    auto options = filtered();
    options.caBundlePath.clear();
    const auto plant = m_fixture->run(requestOf(Runtime::Python, R"(
import os
os.makedirs('/sandbox/.local/bin', exist_ok=True)
os.makedirs('/sandbox/.config/pip', exist_ok=True)
for name in 'python3', 'pip', 'sh':
    with open('/sandbox/.local/bin/' + name, 'w') as f:
        f.write("#!/bin/sh\necho \"global.index-url='http://127.0.0.1:9/evil'\"\n")
    os.chmod('/sandbox/.local/bin/' + name, 0o755)
with open('/sandbox/.config/pip/pip.conf', 'w') as f:
    f.write('[global]\nindex-url = http://127.0.0.1:9/evil\n')
)"),
        {}, session);
    RUN_OR_FAIL(plant);
    QCOMPARE(plant->exitCode, 0);
    const auto run = m_fixture->start(
        installing(Runtime::Python, { u"greeting"_s }, "print('ran')"), options, session);
    const auto result = run->result();
    RUN_OR_FAIL(result);
    QVERIFY2(run->standardError.contains("from pypi.org, files.pythonhosted.org"),
        run->standardError.constData());
    QVERIFY(std::ranges::none_of(result->networkLogs,
        [](const auto& entry) { return entry.isAllowed && entry.host.contains(u"127.0.0.1"_s); }));
    QVERIFY(QCoro::waitFor(m_fixture->engine().stopSession(session)));
}

void TestInstall::imagesThatHaveThemAreUsed()
{
    // No network is needed for what an image has.
    ImageSettings settings;
    settings.registries = { { Runtime::Python, m_index->url(u"/simple"_s) } };
    ImageBuilder builder(std::make_shared<docker::Client>(*docker::resolveEndpoint()), settings);
    CustomImageSpec spec;
    spec.tag = u"isol8-test-install:latest"_s;
    spec.packages = { u"greeting"_s };
    const auto built = QCoro::waitFor(builder.buildCustom(spec, {}));
    RUN_OR_FAIL(built);
    const auto result = m_fixture->run(
        installing(Runtime::Python, { u"greeting"_s }, "import greeting; print(greeting.word)"));
    // Else it would be preferred by every test that comes later.
    QVERIFY(m_fixture->isNothingLeft());
    RUN_OR_FAIL(QCoro::waitFor(m_fixture->client().removeImage(spec.tag)));
    RUN_OR_FAIL(result);
    QCOMPARE(result->standardOutput, "hello from a wheel\n");
    QCOMPARE(result->phases.install.count(), 0);
}

void TestInstall::badNamesAreRefused()
{
    for (const auto* name : { "-e", "--index-url=http://x", "git+https://x/y", "a;b", "../x" }) {
        const auto result = m_fixture->run(
            installing(Runtime::Python, { QString::fromLatin1(name) }, "ran"), ownIndex());
        QVERIFY2(!result, name);
        QCOMPARE(result.error().kind, Kind::Invalid);
    }
}

QTEST_GUILESS_MAIN(TestInstall)
#include "tst_install.moc"
