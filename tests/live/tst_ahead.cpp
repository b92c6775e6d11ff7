// SPDX-License-Identifier: MIT
#include "engine/core/names.h"
#include "engine/sandbox/program.h"
#include "tests/support/enginefixture.h"

#include <QCoroTask>
#include <QTest>

using namespace isol8;
using namespace isol8::tests;
using namespace Qt::StringLiterals;

namespace {

/// One program of a corpus in tests/data/ahead. Its head is
/// `#### NAME | ext=.cjs | stdin=TEXT | files=a,b | latin1 | crlf | nul`.
struct Program {
    QString name;
    ExecutionRequest request;
};

/// `\n`, `\xNN`.
QByteArray unescaped(const QString& text)
{
    QByteArray bytes;
    for (qsizetype i = 0; i < text.size(); ++i) {
        if (text.at(i) != u'\\' || i + 1 == text.size()) {
            bytes += text.at(i).toLatin1();
        } else if (text.at(++i) == u'n') {
            bytes += '\n';
        } else {
            bytes += QByteArray::fromHex(text.mid(i + 1, 2).toLatin1());
            i += 2;
        }
    }
    return bytes;
}

void apply(ExecutionRequest& request, const QString& option, QByteArray& code)
{
    const auto value = option.section(u'=', 1);
    if (option.startsWith("ext="_L1))
        request.fileExtension = value;
    else if (option.startsWith("stdin="_L1))
        request.stdinData = unescaped(value);
    else if (option.startsWith("files="_L1))
        request.outputPaths = value.split(u',');
    else if (option == "latin1"_L1)
        code = QString::fromUtf8(code).toLatin1();
    else if (option == "crlf"_L1)
        code.replace("\n", "\r\n");
    else if (option == "nul"_L1)
        code.append('\0');
    else
        qFatal("unknown option %s", qPrintable(option));
}

QList<Program> corpus(Runtime runtime)
{
    QList<Program> programs;
    const auto text = '\n' + testData(u"ahead/%1.txt"_s.arg(runtimeName(runtime)));
    qsizetype at = text.indexOf("\n#### ");
    while (at >= 0) {
        const auto headEnd = text.indexOf('\n', at + 1);
        const auto next = text.indexOf("\n#### ", headEnd);
        auto code = text.mid(headEnd + 1, next < 0 ? -1 : next - headEnd);
        const auto options = QString::fromUtf8(text.mid(at + 6, headEnd - at - 6)).split(u" | "_s);
        Program program { options.constFirst(), requestOf(runtime, {}) };
        for (const auto& option : options.sliced(1))
            apply(program.request, option, code);
        program.request.code = code;
        program.request.timeout = std::chrono::seconds(60);
        programs << program;
        at = next;
    }
    return programs;
}

/// All that a run's user sees of it, as one text to compare.
QByteArray seen(const Result<ExecutionResult>& result)
{
    if (!result)
        return "no result: " + result.error().message.toUtf8();
    QByteArray text = "stdout: " + result->standardOutput + "\nstderr: " + result->standardError
        + "\nexit: " + QByteArray::number(result->exitCode) + ' ' + result->signal.toUtf8() + ' '
        + reasonName(result->ending.reason).toUtf8()
        + "\nmissing: " + result->missingFiles.join(u' ').toUtf8();
    for (auto file = result->files.cbegin(); file != result->files.cend(); ++file)
        text += '\n' + file.key().toUtf8() + ": " + file.value();
    return text;
}

/// Whether what is started ahead for one of them serves the other.
bool isAlike(const ExecutionRequest& one, const ExecutionRequest& other)
{
    return one.fileExtension == other.fileExtension && one.isStdinLive == other.isStdinLive;
}

/// Those that are alike one after the other: each change costs a run more.
QList<Program> inRuns(QList<Program> programs)
{
    std::ranges::stable_sort(programs, {}, [](const Program& program) {
        return std::pair(program.request.fileExtension, program.request.stdinData.has_value());
    });
    return programs;
}

/// The first line that differs, from both.
QByteArray difference(const QByteArray& plain, const QByteArray& ahead)
{
    const auto left = plain.split('\n');
    const auto right = ahead.split('\n');
    for (qsizetype i = 0; i < std::max(left.size(), right.size()); ++i) {
        if (left.value(i) != right.value(i))
            return "\n  plain: " + left.value(i).left(2000)
                + "\n  ahead: " + right.value(i).left(2000);
    }
    return {};
}

} // namespace

/// Runs programs in interpreters that were started ahead and in others, and compares all that can
/// be seen of them.
class TestAhead : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void isNotToldApart_data();
    void isNotToldApart();

private:
    EngineFixture m_plain;
    EngineFixture m_ahead;
};

void TestAhead::isNotToldApart_data()
{
    QTest::addColumn<Runtime>("runtime");
    for (const auto runtime :
        { Runtime::Python, Runtime::Node, Runtime::Bun, Runtime::Deno, Runtime::Bash })
        QTest::newRow(qPrintable(runtimeName(runtime))) << runtime;
}

void TestAhead::isNotToldApart()
{
    QFETCH(Runtime, runtime);
    const auto programs = inRuns(corpus(runtime));
    QVERIFY(programs.size() >= 60);
    PoolLimits limits;
    m_ahead.restartWithPool(limits);
    limits.isPrestarting = false;
    m_plain.restartWithPool(limits);
    // The next interpreter waits.
    const auto isWaiting = [this] {
        const auto figures = *m_ahead.dockerEngine().poolFigures();
        return figures.used == 1 && figures.memoryBytes > 0;
    };

    int different = 0;
    std::optional<ExecutionRequest> waiting;
    for (const auto& program : programs) {
        // What is started ahead is like the run before; this one makes it so.
        const auto likely = likelyAfter(program.request);
        if (!waiting || !isAlike(*waiting, *likely)) {
            (void)m_ahead.run(program.request);
            waiting = likely;
        }
        const auto plainRun = m_plain.start(program.request); // Meanwhile.
        QVERIFY2(QTest::qWaitFor(isWaiting, 60'000), qPrintable(program.name));
        const auto before = m_ahead.dockerEngine().poolFigures()->ahead;
        const auto aheadRun = m_ahead.start(program.request);
        const auto plain = seen(plainRun->result());
        const auto ahead = seen(aheadRun->result());
        if (m_ahead.dockerEngine().poolFigures()->ahead != before + 1) {
            ++different;
            qWarning("%s: was not started ahead", qPrintable(program.name));
        }
        if (ahead != plain) {
            ++different;
            qWarning("%s:%s", qPrintable(program.name), difference(plain, ahead).constData());
        }
    }
    QCOMPARE(different, 0);
    QCOMPARE(m_plain.dockerEngine().poolFigures()->ahead, 0);
}

QTEST_GUILESS_MAIN(TestAhead)
#include "tst_ahead.moc"
