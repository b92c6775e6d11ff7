// SPDX-License-Identifier: MIT
#include "tests/ui/support/windowfixture.h"

#include "engine/core/completion.h"
#include "ui/images/imagesdialog.h"
#include "ui/run/runcontroller.h"
#include "ui/settings/settingsdialog.h"
#include "ui/targets/connection.h"
#include "ui/targets/serversdialog.h"
#include "ui/targets/sessionsdialog.h"
#include "ui/theme/theme.h"

#include <QAbstractItemView>
#include <QAccessible>
#include <QComboBox>
#include <QDockWidget>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QMenuBar>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QSpinBox>
#include <QStyle>
#include <QToolButton>

#include <cmath>

using namespace isol8;
using namespace isol8::tests;
using namespace isol8::ui;
using namespace Qt::StringLiterals;

/// What the window shows of itself: status bar, docks, colours, names for those who cannot see it.
class TestWindowLook : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init() { m_fixture = std::make_unique<WindowFixture>(); }
    void cleanup() { m_fixture.reset(); }

    void statusBarTellsTargetTimeAndCursor();
    void lostRunAsksTheTargetAnew();
    void questionBeforeAnAnswerIsNotLost();
    void docksAreHiddenMovedAndShown();
    void paletteListsTheDocks();
    void paletteRowsAreAlike();
    void coloursFollowTheChoice();
    void textIsReadable_data();
    void textIsReadable();
    void outlinesAndDockButtonsAreSeen_data() { textIsReadable_data(); }
    void outlinesAndDockButtonsAreSeen();
    void everyCommandIsInAMenu();
    void noTwoCommandsHaveTheSameKeys();
    void tabReachesEveryControl();
    void dialogsHaveNames();
    void newTextTakesTheLanguageOfItsRuntime();

private:
    [[nodiscard]] static QStringList nameless(QWidget* parent);
    WindowFixture& w() { return *m_fixture; }

    std::unique_ptr<WindowFixture> m_fixture;
};

namespace {

/// A target that can go away.
class FlakyEngine : public FakeEngine {
public:
    [[nodiscard]] Task<QList<SessionInfo>> sessions() override
    {
        if (isGone)
            co_return failure(Kind::Unreachable, u"Docker does not answer"_s);
        co_return QList<SessionInfo>();
    }
    bool isGone = false;
};

/// A target that answers when the test says so.
class SlowEngine : public FakeEngine {
public:
    [[nodiscard]] Task<QList<SessionInfo>> sessions() override
    {
        answers.emplace_back();
        return waitFor(answers.back());
    }
    static Task<QList<SessionInfo>> waitFor(Completion<QList<SessionInfo>> answer)
    {
        co_return co_await answer.wait();
    }
    std::vector<Completion<QList<SessionInfo>>> answers;
};

/// Of WCAG 2.1, 1 to 21.
double contrast(const QColor& a, const QColor& b)
{
    const auto luminance = [](const QColor& colour) {
        const auto linear = [](double value) {
            return value <= 0.03928 ? value / 12.92 : std::pow((value + 0.055) / 1.055, 2.4);
        };
        return 0.2126 * linear(colour.redF()) + 0.7152 * linear(colour.greenF())
            + 0.0722 * linear(colour.blueF());
    };
    const auto [dark, light] = std::minmax({ luminance(a), luminance(b) });
    return (light + 0.05) / (dark + 0.05);
}

bool isControl(const QWidget* widget)
{
    return qobject_cast<const QAbstractButton*>(widget) || qobject_cast<const QLineEdit*>(widget)
        || qobject_cast<const QComboBox*>(widget) || qobject_cast<const QPlainTextEdit*>(widget)
        || qobject_cast<const QAbstractSpinBox*>(widget)
        || qobject_cast<const QAbstractItemView*>(widget);
}

} // namespace

void TestWindowLook::statusBarTellsTargetTimeAndCursor()
{
    auto* health = w().part<QToolButton>("targetHealth");
    QTRY_COMPARE(health->text(), u"This computer: ready"_s);
    w().window().openFiles({ w().writeFile(u"a.py"_s, "one\ntwo\n") });
    w().editor()->goToLine(2, 3);
    QCOMPARE(w().part<QLabel>("cursorPlace")->text(), u"Line 2, column 3"_s);
    w().press(Qt::Key_Home, Qt::ShiftModifier);
    QCOMPARE(w().part<QLabel>("cursorPlace")->text(), u"Line 2, column 1 (2 selected)"_s);
    QCOMPARE(w().part<QLabel>("language")->text(), u"Python"_s);

    w().press(Qt::Key_F5);
    QTRY_VERIFY(w().part<QLabel>("runTime")->text().startsWith(u"Running for "_s));
    QTRY_VERIFY2(w().status().contains(u" of 30 s"_s), qPrintable(w().status()));
    w().run()->end(0);
    QTRY_COMPARE(w().part<QLabel>("runTime")->text(), QString());
}

void TestWindowLook::lostRunAsksTheTargetAnew()
{
    const auto engine = std::make_shared<FlakyEngine>();
    m_fixture = std::make_unique<WindowFixture>([engine](const Target&, const QString&) {
        return Result<std::shared_ptr<Engine>>(engine);
    });
    auto* health = w().part<QToolButton>("targetHealth");
    QTRY_COMPARE(health->text(), u"This computer: ready"_s);
    w().window().openFiles({ w().writeFile(u"a.py"_s, "x\n") });
    w().press(Qt::Key_F5);
    engine->isGone = true;
    engine->runs.back()->fail({ Kind::Unreachable, u"the connection was lost"_s });
    QTRY_COMPARE(health->text(), u"This computer: not available"_s);
    engine->isGone = false;
    QTest::mouseClick(health, Qt::LeftButton);
    QTRY_COMPARE(health->text(), u"This computer: ready"_s);
}

/// Docker was started, "Try again" clicked, and the question from before fails.
void TestWindowLook::questionBeforeAnAnswerIsNotLost()
{
    const auto engine = std::make_shared<SlowEngine>();
    Connection connection(
        [engine](const Target&, const QString&) { return Result<std::shared_ptr<Engine>>(engine); },
        nullptr);
    connection.choose(localTarget());
    connection.check();
    QCOMPARE(engine->answers.size(), 1U);
    engine->answers[0].fail({ Kind::Unreachable, u"Docker does not answer"_s });
    QTRY_COMPARE(engine->answers.size(), 2U);
    connection.check();
    engine->answers[1].deliver(QList<SessionInfo>());
    QTRY_COMPARE(connection.health(), Connection::Health::Good);
    QCOMPARE(engine->answers.size(), 2U); // A good answer is one for all who asked.
}

void TestWindowLook::docksAreHiddenMovedAndShown()
{
    for (const char* name :
        { "outputDock", "filesDock", "optionsDock", "historyDock", "networkDock" }) {
        auto* dock = w().part<QDockWidget>(name);
        QVERIFY(dock->features().testFlag(QDockWidget::DockWidgetMovable));
        QVERIFY(dock->features().testFlag(QDockWidget::DockWidgetClosable));
        QVERIFY(!dock->windowTitle().isEmpty());
        dock->toggleViewAction()->trigger();
        QVERIFY2(dock->isHidden(), name);
        dock->toggleViewAction()->trigger();
        QVERIFY2(!dock->isHidden(), name);
    }
    auto* files = w().part<QDockWidget>("filesDock");
    w().window().addDockWidget(Qt::RightDockWidgetArea, files);
    QCOMPARE(w().window().dockWidgetArea(files), Qt::RightDockWidgetArea);
    // A run brings its output back.
    w().part<QDockWidget>("outputDock")->hide();
    w().window().openFiles({ w().writeFile(u"a.py"_s, "x\n") });
    w().press(Qt::Key_F5);
    QTRY_VERIFY(w().part<QDockWidget>("outputDock")->isVisible());
}

void TestWindowLook::paletteListsTheDocks()
{
    w().page()->setFocus();
    w().press(Qt::Key_P, Qt::ControlModifier | Qt::ShiftModifier);
    auto* filter = w().part<QLineEdit>("paletteFilter");
    QTest::keyClicks(filter, u"network log"_s);
    QCOMPARE(w().part<QListWidget>("paletteList")->count(), 1);
    QTest::keyClick(filter, Qt::Key_Return);
    QTRY_VERIFY(w().part<QDockWidget>("networkDock")->isHidden());
}

/// With an icon or without, with keys or without; and the name is nothing but the name.
void TestWindowLook::paletteRowsAreAlike()
{
    w().press(Qt::Key_P, Qt::ControlModifier | Qt::ShiftModifier);
    const auto* list = w().part<QListWidget>("paletteList");
    QVERIFY(list->count() > 20);
    int withKeys = 0;
    for (int row = 0; row < list->count(); ++row) {
        const auto* item = list->item(row);
        QCOMPARE(list->visualItemRect(item).height(), list->visualItemRect(list->item(0)).height());
        QVERIFY2(!item->text().contains(u"Ctrl"_s), qPrintable(item->text()));
        withKeys += item->data(Qt::AccessibleTextRole).toString().contains(u"Ctrl"_s);
    }
    QVERIFY(withKeys > 10);
}

void TestWindowLook::coloursFollowTheChoice()
{
    w().window().openFiles({ w().writeFile(u"a.py"_s, "x\n") });
    const auto choose = [this](UiSettings::ColourScheme scheme) {
        auto values = w().services().settings.values();
        values.colourScheme = scheme;
        w().services().settings.change(values);
        applyTheme(*qApp, scheme); // as the application does
    };
    const auto isDarkNow = [this] {
        const auto base = [](const QWidget* widget) {
            return widget->palette().color(QPalette::Base).lightness() < 128;
        };
        return QList<bool> { w().window().palette().color(QPalette::Window).lightness() < 128,
            base(w().editor()), base(w().window().output()->view()) };
    };
    choose(UiSettings::ColourScheme::Dark);
    QTRY_COMPARE(isDarkNow(), (QList<bool> { true, true, true }));
    choose(UiSettings::ColourScheme::Light);
    QTRY_COMPARE(isDarkNow(), (QList<bool> { false, false, false }));
    choose(UiSettings::ColourScheme::System);
    const bool isSystemDark = isDark(UiSettings::ColourScheme::System);
    QTRY_COMPARE(isDarkNow(), QList<bool>(3, isSystemDark));
}

void TestWindowLook::textIsReadable_data()
{
    QTest::addColumn<bool>("dark");
    QTest::newRow("light") << false;
    QTest::newRow("dark") << true;
}

void TestWindowLook::textIsReadable()
{
    QFETCH(bool, dark);
    const auto palette = paletteFor(dark);
    const auto check = [&palette](QPalette::ColorRole front, QPalette::ColorRole back) {
        return contrast(palette.color(front), palette.color(back));
    };
    for (const auto ground : { QPalette::Window, QPalette::Base, QPalette::AlternateBase }) {
        QCOMPARE_GE(check(QPalette::WindowText, ground), 7.0);
        QCOMPARE_GE(check(QPalette::Text, ground), 7.0);
        QCOMPARE_GE(check(QPalette::PlaceholderText, ground), 4.5);
        QCOMPARE_GE(check(QPalette::Link, ground), 4.5);
    }
    QCOMPARE_GE(check(QPalette::ButtonText, QPalette::Button), 7.0);
    QCOMPARE_GE(check(QPalette::HighlightedText, QPalette::Highlight), 4.5);
    QCOMPARE_GE(check(QPalette::ToolTipText, QPalette::ToolTipBase), 7.0);
}

void TestWindowLook::outlinesAndDockButtonsAreSeen()
{
    QFETCH(bool, dark);
    applyTheme(*qApp, dark ? UiSettings::ColourScheme::Dark : UiSettings::ColourScheme::Light);
    const auto ground = paletteFor(dark).color(QPalette::Window);
    for (const auto shape : { QStyle::SP_TitleBarCloseButton, QStyle::SP_TitleBarNormalButton }) {
        const auto icon = QApplication::style()->standardIcon(shape).pixmap(32).toImage();
        double best = 0;
        for (int y = 0; y < icon.height(); ++y) {
            for (int x = 0; x < icon.width(); ++x) {
                if (icon.pixelColor(x, y).alpha() > 200)
                    best = std::max(best, contrast(icon.pixelColor(x, y), ground));
            }
        }
        QCOMPARE_GE(best, 3.0);
    }
    QPlainTextEdit box;
    box.resize(80, 60);
    const auto picture = box.grab().toImage();
    QCOMPARE_GE(contrast(picture.pixelColor(0, 30), ground), 1.3);
}

void TestWindowLook::everyCommandIsInAMenu()
{
    QSet<QAction*> shown;
    for (const auto* menu : w().window().menuBar()->findChildren<QMenu*>()) {
        const auto actions = menu->actions();
        shown.unite(QSet<QAction*>(actions.cbegin(), actions.cend()));
    }
    for (auto* action : w().window().actions().all())
        QVERIFY2(shown.contains(action), qPrintable(action->objectName()));
}

/// Keys that two commands have do nothing.
void TestWindowLook::noTwoCommandsHaveTheSameKeys()
{
    QMap<QString, QString> owners;
    for (const auto* action : w().window().findChildren<QAction*>()) {
        for (const auto& keys : action->shortcuts()) {
            const auto text = keys.toString();
            QVERIFY2(!owners.contains(text),
                qPrintable(u"%1: %2 and %3"_s.arg(text, owners.value(text), action->objectName())));
            owners.insert(text, action->objectName());
        }
    }
    QVERIFY(owners.contains(u"F5"_s) && owners.contains(u"Shift+F5"_s));
    // Whatever the desktop says is the usual one.
    QVERIFY(owners.contains(u"Ctrl+Shift+Z"_s) && owners.contains(u"Ctrl+Y"_s));
}

void TestWindowLook::tabReachesEveryControl()
{
    QSet<const QWidget*> reached;
    const QWidget* at = w().window().nextInFocusChain();
    for (; at != &w().window(); at = at->nextInFocusChain())
        reached.insert(at);
    for (const auto* widget : w().window().findChildren<QWidget*>()) {
        if (!isControl(widget) || !widget->isVisible() || !widget->isEnabled())
            continue;
        const bool isForMice = widget->focusPolicy() == Qt::NoFocus
            || (qobject_cast<const QAbstractButton*>(widget)
                && !(widget->focusPolicy() & Qt::TabFocus));
        // Buttons of bars are commands, which have keys, menus or the palette.
        QVERIFY2(isForMice || reached.contains(widget), qPrintable(widget->objectName()));
    }
}

QStringList TestWindowLook::nameless(QWidget* parent)
{
    QStringList found;
    for (auto* widget : parent->findChildren<QWidget*>()) {
        if (widget->focusPolicy() == Qt::NoFocus || widget->objectName().startsWith(u"qt_"_s)
            || widget->window() != parent || !isControl(widget))
            continue;
        auto* accessible = QAccessible::queryAccessibleInterface(widget);
        if (accessible && accessible->text(QAccessible::Name).isEmpty())
            found << u"%1 %2"_s.arg(
                QLatin1StringView(widget->metaObject()->className()), widget->objectName());
    }
    return found;
}

void TestWindowLook::dialogsHaveNames()
{
    const auto check = [this](QAction* action, const char* name) {
        action->trigger();
        auto* dialog = w().part<QDialog>(name);
        QTRY_VERIFY(dialog->isVisible());
        QVERIFY(!dialog->windowTitle().isEmpty());
        const auto found = nameless(dialog);
        QVERIFY2(found.isEmpty(), qPrintable(found.join(u", "_s)));
        dialog->close();
    };
    check(w().window().actions().settings, "settingsDialog");
    check(w().window().actions().servers, "serversDialog");
    check(w().window().actions().sessions, "sessionsDialog");
    check(w().window().actions().palette, "palette");
}

/// Colours come with the choice of what a new text is run with.
void TestWindowLook::newTextTakesTheLanguageOfItsRuntime()
{
    QVERIFY(w().page()->isPristine());
    auto* choice = w().part<QComboBox>("runtimeChoice");
    choice->setCurrentIndex(choice->findText(u"Python"_s));
    QCOMPARE(w().part<QLabel>("language")->text(), u"Python"_s);
    QCOMPARE(w().page()->fileName(), u"main.py"_s);
    choice->setCurrentIndex(choice->findText(u"Node.js"_s));
    QCOMPARE(w().part<QLabel>("language")->text(), u"JavaScript"_s);
    // A file's own name says more.
    w().window().openFiles({ w().writeFile(u"a.py"_s, "x\n") });
    choice->setCurrentIndex(choice->findText(u"Bash"_s));
    QCOMPARE(w().part<QLabel>("language")->text(), u"Python"_s);
}

QTEST_MAIN(TestWindowLook)
#include "tst_windowlook.moc"
