// SPDX-License-Identifier: MIT
#include "tests/ui/support/windowfixture.h"

#include "ui/editor/highlighter.h"
#include "ui/run/runcontroller.h"
#include "ui/theme/theme.h"

#include <QDir>
#include <QPixmap>

using namespace isol8;
using namespace isol8::tests;
using namespace isol8::ui;
using namespace Qt::StringLiterals;

/// Pictures of every main state in build/screenshots, for people to look at. What is checked here is
/// only that each is drawn at all.
class TestScreenshots : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void run_data();
    void run();
    void error();

private:
    void show(UiSettings::ColourScheme scheme);
    void take(const QString& name);
    WindowFixture& w() { return *m_fixture; }
    std::unique_ptr<WindowFixture> m_fixture;
};

namespace {

constexpr char program[] = R"(# Estimates pi by throwing points at a square.
import random
import sys


class Estimator:
    """Counts the points that fall into the circle."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.inside = 0
        self.thrown = 0

    def throw(self, count: int) -> None:
        for _ in range(count):
            x, y = self.random.random(), self.random.random()
            self.inside += x * x + y * y <= 1.0
            self.thrown += 1

    @property
    def value(self) -> float:
        return 4 * self.inside / self.thrown


estimator = Estimator(seed=42)
for step in range(1, 9):
    estimator.throw(250_000)
    print(f"{estimator.thrown:>10,} points  pi ~ {estimator.value:.5f}")
print("warning: only a simulation", file=sys.stderr)
)";

constexpr char output[] = "   250,000 points  pi ~ 3.14338\n   500,000 points  pi ~ 3.14211\n"
                          "   750,000 points  pi ~ 3.14096\n 1,000,000 points  pi ~ 3.14180\n"
                          "\x1b[32m 1,250,000 points\x1b[0m  pi ~ \x1b[1m3.14160\x1b[0m\n";

} // namespace

void TestScreenshots::initTestCase()
{
    QVERIFY(QDir().mkpath(QStringLiteral(ISOL8_SCREENSHOTS)));
}

void TestScreenshots::show(UiSettings::ColourScheme scheme)
{
    m_fixture = std::make_unique<WindowFixture>();
    auto values = w().services().settings.values();
    values.colourScheme = scheme;
    w().services().settings.change(values);
    applyTheme(*qApp, scheme);
    w().window().resize(1180, 760);
    w().window().openFiles({ w().writeFile(u"estimate.py"_s, program) });
    QTRY_VERIFY(w().editor()->highlighter().isFinished());
    w().editor()->goToLine(16, 25);
}

void TestScreenshots::take(const QString& name)
{
    QCoreApplication::sendPostedEvents();
    const auto picture = w().window().grab();
    QVERIFY(!picture.isNull());
    QVERIFY(picture.save(QStringLiteral(ISOL8_SCREENSHOTS "/%1.png").arg(name)));
}

void TestScreenshots::run_data()
{
    QTest::addColumn<UiSettings::ColourScheme>("scheme");
    QTest::newRow("light") << UiSettings::ColourScheme::Light;
    QTest::newRow("dark") << UiSettings::ColourScheme::Dark;
}

void TestScreenshots::run()
{
    QFETCH(UiSettings::ColourScheme, scheme);
    show(scheme);
    const auto name = QString::fromLatin1(QTest::currentDataTag());
    w().press(Qt::Key_F5);
    QTRY_VERIFY(w().run());
    w().run()->give(output);
    for (int i = 1; i < 60; ++i)
        Q_EMIT w().run()->usageReported({ std::chrono::milliseconds(200 * i),
            (40 + i + 10 * (i % 7 == 0)) * (1LL << 20) });
    QTRY_VERIFY(w().output().contains(u"3.14160"_s));
    take(name + u"-running"_s);
    w().run()->give("warning: only a simulation\n", Channel::Stderr);
    w().run()->result.duration = std::chrono::milliseconds(1840);
    w().run()->result.cpuTime = std::chrono::milliseconds(1710);
    w().run()->result.peakMemoryBytes = 11'400'000;
    w().run()->end(0);
    QTRY_VERIFY(!w().window().runs()->isRunning());
    QTRY_VERIFY(w().output().contains(u"Finished"_s));
    take(name + u"-finished"_s);
}

void TestScreenshots::error()
{
    show(UiSettings::ColourScheme::Light);
    w().press(Qt::Key_F5);
    QTRY_VERIFY(w().run());
    w().run()->give("Traceback (most recent call last):\n"
                    "  File \"/sandbox/main.py\", line 26, in <module>\n"
                    "    estimator = Estimator(seed=\"42\")\n"
                    "  File \"/sandbox/main.py\", line 10, in __init__\n"
                    "    self.random = random.Random(seed)\n"
                    "TypeError: seed must be an int\n",
        Channel::Stderr);
    w().run()->end(1);
    QTRY_VERIFY(!w().window().runs()->isRunning());
    QTRY_VERIFY(w().output().contains(u"Ended with"_s));
    w().press(Qt::Key_F, Qt::ControlModifier);
    w().type(u"self"_s);
    take(u"error"_s);
}

QTEST_MAIN(TestScreenshots)
#include "tst_screenshots.moc"
