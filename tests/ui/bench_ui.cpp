// SPDX-License-Identifier: MIT
// Prints the figures that the window is held to. Needs Docker with isol8's images. Not a test: it
// measures, on whatever machine it runs.
#include "tests/ui/support/windowfixture.h"

#include "engine/sandbox/dockerengine.h"
#include "ui/editor/highlighter.h"
#include "ui/run/runcontroller.h"

#include <QApplication>
#include <QLineEdit>
#include <QProcess>
#include <QScrollBar>

#include <algorithm>
#include <cstdio>

#include <malloc.h>
#include <unistd.h>

using namespace isol8;
using namespace isol8::tests;
using namespace isol8::ui;
using namespace Qt::StringLiterals;
using Clock = std::chrono::steady_clock;

namespace {

double millisecondsSince(Clock::time_point begin)
{
    return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

double quantile(std::vector<double> values, double share)
{
    std::ranges::sort(values);
    return values.empty() ? 0 : values[size_t(share * double(values.size() - 1))];
}

double residentMegabytes()
{
    QFile file(u"/proc/self/statm"_s);
    if (!file.open(QIODevice::ReadOnly))
        return 0;
    return file.readAll().split(' ').value(1).toDouble() * double(::sysconf(_SC_PAGESIZE))
        / (1 << 20);
}

/// What earlier parts freed would hide what the next one takes.
double residentMegabytesAtBegin()
{
    ::malloc_trim(0);
    return residentMegabytes();
}

/// The longest time that the event loop took for one round, and the largest resident memory.
class Watch : public QObject {
public:
    Watch()
    {
        m_timer.setInterval(2);
        m_timer.setTimerType(Qt::PreciseTimer);
        connect(&m_timer, &QTimer::timeout, this, [this] {
            longest = std::max(longest, millisecondsSince(m_last) - 2);
            m_last = Clock::now();
            if (++m_rounds % 16 == 0)
                largest = std::max(largest, residentMegabytes());
        });
        m_timer.start();
    }
    double longest = 0;
    double largest = 0;

private:
    QTimer m_timer;
    Clock::time_point m_last = Clock::now();
    int m_rounds = 0;
};

/// A figure of something that went wrong says nothing: it ends the bench.
void require(bool isRight, const QString& what)
{
    if (isRight)
        return;
    std::fprintf(stderr, "failed: %s\n", qPrintable(what));
    std::exit(1);
}

void report(const char* what, double value, const char* unit, double limit)
{
    std::printf("%-58s %9.1f %-3s (limit %g)%s\n", what, value, unit, limit,
        value <= limit ? "" : "  OVER");
    std::fflush(stdout);
}

EngineFactory dockerEngines(const QString& state)
{
    return [state](const Target&, const QString&) -> Result<std::shared_ptr<Engine>> {
        auto endpoint = docker::resolveEndpoint();
        if (!endpoint)
            return std::unexpected(endpoint.error());
        DockerEngineSettings settings;
        settings.stateDirectory = state;
        return std::make_shared<DockerEngine>(*endpoint, settings);
    };
}

/// In a process of its own: from main() to the first picture.
int firstPaint(int argumentCount, char** arguments, Clock::time_point begin)
{
    class Painted : public QObject {
    public:
        explicit Painted(Clock::time_point since)
            : m_since(since)
        {
        }
        bool eventFilter(QObject* watched, QEvent* event) override
        {
            if (event->type() == QEvent::Paint) {
                std::printf("%.1f\n", millisecondsSince(m_since));
                std::fflush(stdout);
                std::_Exit(0);
            }
            return QObject::eventFilter(watched, event);
        }

    private:
        Clock::time_point m_since;
    };
    QApplication application(argumentCount, arguments);
    Painted painted(begin);
    application.installEventFilter(&painted);
    const WindowFixture fixture;
    return QApplication::exec();
}

void benchFirstPaint()
{
    std::vector<double> times;
    for (int i = 0; i < 10; ++i) {
        QProcess process;
        process.start(QApplication::applicationFilePath(), { u"--first-paint"_s });
        process.waitForFinished();
        bool isNumber = false;
        times.push_back(process.readAllStandardOutput().toDouble(&isNumber));
        require(isNumber, u"nothing was painted"_s);
    }
    report("first paint after main(), median of 10", quantile(times, 0.5), "ms", 300);
}

constexpr qint64 floodBytes = 100'000'000;
constexpr char flood[] = "import sys\nline = 'x' * 99 + '\\n'\nblock = line * 1000\n"
                         "for _ in range(1000): sys.stdout.write(block)\n";

/// Milliseconds of the command line for the same program, output thrown away.
double floodOnTheCommandLine(const QString& file)
{
    QProcess process;
    process.setStandardOutputFile(QProcess::nullDevice());
    const auto begin = Clock::now();
    process.start(QStringLiteral(ISOL8_PROGRAM),
        { u"run"_s, file, u"--max-output"_s, u"200m"_s, u"--timeout"_s, u"5m"_s });
    process.waitForFinished(-1);
    const double spent = millisecondsSince(begin);
    require(process.exitStatus() == QProcess::NormalExit && process.exitCode() == 0,
        u"isol8 run: "_s + QString::fromUtf8(process.readAllStandardError()));
    return spent;
}

/// Presses Run and sees that the program succeeded with @p outputBytes of output.
void runToItsEnd(WindowFixture& fixture, qint64 outputBytes)
{
    QEventLoop loop;
    Result<ExecutionResult> result = failure(Kind::Internal, u"it did not begin"_s);
    qint64 received = 0;
    auto* runs = fixture.window().runs();
    QObject::connect(runs, &RunController::outputReceived, &loop,
        [&](Channel, const QByteArray& bytes) { received += bytes.size(); });
    QObject::connect(runs, &RunController::finished, &loop, [&](const auto& ended) {
        result = ended;
        loop.quit();
    });
    fixture.window().actions().run->trigger();
    if (runs->isRunning())
        loop.exec();
    require(result.has_value(), result ? QString() : u"a run: "_s + result.error().message);
    require(result->exitCode == 0 && !result->isTruncated && received == outputBytes,
        u"a run ended with %1 after %2 bytes"_s.arg(result->exitCode).arg(received));
}

void benchFlood(const QString& state)
{
    WindowFixture fixture(dockerEngines(state));
    const auto file = fixture.writeFile(u"flood.py"_s, flood);
    fixture.window().openFiles({ file });
    auto* output = fixture.part<QLineEdit>("limitOutput");
    output->setFocus();
    output->selectAll();
    QTest::keyClicks(output, u"200m"_s);
    runToItsEnd(fixture, floodBytes); // makes the caches warm
    std::vector<double> window;
    std::vector<double> line;
    double longest = 0;
    double growth = 0;
    for (int i = 0; i < 3; ++i) {
        line.push_back(floodOnTheCommandLine(file));
        const double before = residentMegabytesAtBegin();
        Watch watch;
        const auto begin = Clock::now();
        runToItsEnd(fixture, floodBytes);
        window.push_back(millisecondsSince(begin));
        require(fixture.window().output()->view()->buffer().endLine() >= 1'000'000,
            u"the window shows fewer lines"_s);
        longest = std::max(longest, watch.longest);
        growth = std::max(growth, watch.largest - before);
    }
    std::printf(
        "%-58s %9.1f ms\n", "1,000,000 lines with `isol8 run > /dev/null`", quantile(line, 0.5));
    std::printf("%-58s %9.1f ms\n", "1,000,000 lines in the window", quantile(window, 0.5));
    report("  window / command line", quantile(window, 0.5) / quantile(line, 0.5), "", 1.5);
    report("  longest round of the event loop", longest, "ms", 50);
    report("  growth of resident memory", growth, "MB", 150);
}

QByteArray pythonText(int lines)
{
    QByteArray text;
    for (int i = 0; i < lines / 4; ++i)
        text += "def function_" + QByteArray::number(i)
            + "(argument):  # a comment\n    if argument > 10:\n        return f\"{argument}\" + "
              "'text'\n\n";
    return text;
}

void benchTyping()
{
    WindowFixture fixture;
    fixture.window().openFiles({ fixture.writeFile(u"large.py"_s, pythonText(20'000)) });
    while (!fixture.editor()->isWhole() || !fixture.editor()->highlighter().isFinished())
        QCoreApplication::processEvents(QEventLoop::WaitForMoreEvents);
    std::vector<double> times;
    for (const int line : { 10, 10'000, 19'990 }) {
        fixture.editor()->goToLine(line);
        fixture.editor()->setFocus();
        for (const char key : QByteArray("value = (1 + [2]) # \"quoted\" text ").repeated(4)) {
            const auto begin = Clock::now();
            QTest::keyClick(fixture.editor(), key);
            QCoreApplication::processEvents();
            fixture.editor()->viewport()->repaint();
            times.push_back(millisecondsSince(begin));
        }
    }
    report("a key in 20,000 lines of Python, p95", quantile(times, 0.95), "ms", 16);
}

void benchOpening()
{
    const auto content = pythonText(400'000).left(10 << 20);
    {
        QPlainTextEdit bare;
        bare.resize(900, 700);
        bare.show();
        const auto text = QString::fromUtf8(content);
        QCoreApplication::processEvents();
        const auto begin = Clock::now();
        bare.setPlainText(text);
        bare.viewport()->repaint();
        std::printf("%-58s %9.1f ms\n", "10 MB in a bare QPlainTextEdit, all that time deaf",
            millisecondsSince(begin));
    }
    WindowFixture fixture;
    const auto path = fixture.writeFile(u"ten.py"_s, content);
    auto begin = Clock::now();
    fixture.window().openFiles({ path });
    fixture.editor()->viewport()->repaint();
    report("opening a file of 10 MB, until it is seen", millisecondsSince(begin), "ms", 1000);
    Watch watch;
    while (!fixture.editor()->isWhole())
        QCoreApplication::processEvents(QEventLoop::WaitForMoreEvents);
    report("  until its end is loaded, too", millisecondsSince(begin), "ms", 1000);
    report("  longest round of the event loop meanwhile", watch.longest, "ms", 50);
    require(fixture.editor()->document()->characterCount() == content.size() + 1,
        u"the file is not whole"_s);
    begin = Clock::now();
    while (!fixture.editor()->highlighter().isFinished())
        QCoreApplication::processEvents(QEventLoop::WaitForMoreEvents);
    std::printf("%-58s %9.1f ms\n", "  until its last line is coloured, after that",
        millisecondsSince(begin));
    report("  longest round of the event loop to there", watch.longest, "ms", 50);

    WindowFixture other;
    const auto otherPath = other.writeFile(u"other.py"_s, content);
    begin = Clock::now();
    other.window().openFiles({ otherPath });
    other.editor()->viewport()->repaint();
    require(!other.editor()->isWhole(), u"it came at once"_s);
    QTest::keyClick(other.editor(), Qt::Key_X);
    other.editor()->viewport()->repaint();
    report("opening it, until a key that was pressed at once is seen", millisecondsSince(begin),
        "ms", 1000);
    require(other.page()->bytes() == 'x' + content, u"the key is not where it belongs"_s);
}

void benchManyRuns(const QString& state)
{
    WindowFixture fixture(dockerEngines(state));
    fixture.window().openFiles({ fixture.writeFile(u"a.py"_s, "print(1)\n") });
    const auto runOnce = [&] {
        runToItsEnd(fixture, 2);
        require(fixture.output().contains(u"1\n"_s), u"a run's output is not shown"_s);
    };
    for (int i = 0; i < 20; ++i)
        runOnce();
    const double before = residentMegabytesAtBegin();
    for (int i = 0; i < 500; ++i)
        runOnce();
    report("growth over 500 runs", residentMegabytes() - before, "MB", 20);
}

} // namespace

int main(int argumentCount, char** arguments)
{
    const auto begin = Clock::now();
    if (qEnvironmentVariableIsEmpty("QT_QPA_PLATFORM"))
        qputenv("QT_QPA_PLATFORM", "offscreen");
    if (argumentCount > 1 && QByteArrayView(arguments[1]) == "--first-paint")
        return firstPaint(argumentCount, arguments, begin);
    QApplication application(argumentCount, arguments);
    const QTemporaryDir state;
    const auto isWanted = [arguments = QApplication::arguments()](const QString& name) {
        return arguments.size() < 2 || arguments.contains(name);
    };
    if (isWanted(u"paint"_s))
        benchFirstPaint();
    if (isWanted(u"typing"_s))
        benchTyping();
    if (isWanted(u"opening"_s))
        benchOpening();
    if (isWanted(u"flood"_s))
        benchFlood(state.path());
    if (isWanted(u"runs"_s))
        benchManyRuns(state.path());
    return 0;
}
