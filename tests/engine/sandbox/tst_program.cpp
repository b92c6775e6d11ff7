// SPDX-License-Identifier: MIT
#include "engine/sandbox/program.h"

#include <QTest>

using namespace isol8;
using namespace Qt::StringLiterals;

/// What each runtime is started with.
class TestProgram : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void codeGoesIntoAFile_data();
    void codeGoesIntoAFile();
    void commandNeedsNoFile();
    void environmentHasRanks();
};

void TestProgram::codeGoesIntoAFile_data()
{
    QTest::addColumn<int>("runtime");
    QTest::addColumn<QString>("extension");
    QTest::addColumn<QByteArrayList>("arguments");
    QTest::newRow("python") << int(Runtime::Python) << QString()
                            << QByteArrayList { "python3", "/sandbox/main.py", "a" };
    QTest::newRow("node") << int(Runtime::Node) << QString()
                          << QByteArrayList { "node", "/sandbox/main.mjs", "a" };
    QTest::newRow("CommonJS") << int(Runtime::Node) << u".cjs"_s
                              << QByteArrayList { "node", "/sandbox/main.cjs", "a" };
    QTest::newRow("bun") << int(Runtime::Bun) << QString()
                         << QByteArrayList { "bun", "run", "/sandbox/main.ts", "a" };
    QTest::newRow("deno") << int(Runtime::Deno) << QString()
                          << QByteArrayList { "deno", "run", "--allow-all", "--no-prompt",
                                 "/sandbox/main.mts", "a" };
    QTest::newRow("bash") << int(Runtime::Bash) << QString()
                          << QByteArrayList { "bash", "/sandbox/main.sh", "a" };
}

void TestProgram::codeGoesIntoAFile()
{
    QFETCH(int, runtime);
    QFETCH(QString, extension);
    ExecutionRequest request;
    request.runtime = Runtime(runtime);
    request.fileExtension = extension;
    request.code = "the code";
    request.arguments = { u"a"_s };
    const auto program = programOf(request);
    QTEST(program.arguments, "arguments");
    QCOMPARE(program.code, "the code"_ba);
    QVERIFY(program.arguments.contains(program.path));
}

void TestProgram::commandNeedsNoFile()
{
    ExecutionRequest request;
    request.command = u"echo $1"_s;
    request.arguments = { u"x y"_s };
    const auto program = programOf(request);
    QVERIFY(program.path.isEmpty());
    QCOMPARE(program.arguments, (QByteArrayList { "bash", "-c", "echo $1", "bash", "x y" }));
}

void TestProgram::environmentHasRanks()
{
    ExecutionRequest request;
    request.environment
        = { { u"A"_s, u"request"_s }, { u"B"_s, u"request"_s }, { u"LANG"_s, u"de_DE.UTF-8"_s } };
    ExecutionOptions options;
    options.secrets = { { u"A"_s, u"secret"_s } };
    const auto list = environmentOf(
        request, options, { u"PATH=/opt/bin"_s, u"B=image"_s, u"C=image=1"_s, u"HOME=/root"_s });
    QVERIFY(list.contains("A=secret"));
    QVERIFY(list.contains("B=request"));
    QVERIFY(list.contains("C=image=1"));
    QVERIFY(list.contains("HOME=/sandbox"));
    QVERIFY(list.contains("LANG=de_DE.UTF-8"));
    QVERIFY(list.contains("PATH=/sandbox/.local/bin:/sandbox/.npm-global/bin:/opt/bin"));
    QVERIFY(list.contains("DENO_DIR=/tmp/.deno"));
    const auto baked = environmentOf({}, {}, { u"DENO_DIR=/opt/deno"_s });
    QVERIFY(baked.contains("DENO_DIR=/opt/deno"));
}

QTEST_GUILESS_MAIN(TestProgram)
#include "tst_program.moc"
