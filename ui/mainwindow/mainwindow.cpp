// SPDX-License-Identifier: MIT
#include "ui/mainwindow/mainwindow.h"

#include "ui/editor/editortabs.h"
#include "ui/editor/messagebar.h"
#include "ui/files/filespanel.h"
#include "ui/files/sessionchoice.h"
#include "ui/history/historypanel.h"
#include "ui/mainwindow/editorcommands.h"
#include "ui/mainwindow/historycommands.h"
#include "ui/mainwindow/recovery.h"
#include "ui/mainwindow/runbar.h"
#include "ui/mainwindow/runcommands.h"
#include "ui/mainwindow/sessioncommands.h"
#include "ui/mainwindow/statusarea.h"
#include "ui/mainwindow/toolcommands.h"
#include "ui/mainwindow/windowactions.h"
#include "ui/output/networklogview.h"
#include "ui/output/outputpane.h"
#include "ui/run/runcontroller.h"
#include "ui/run/runoptionspanel.h"
#include "ui/services.h"
#include "ui/start/startcheck.h"
#include "ui/start/startpage.h"
#include "ui/targets/connection.h"
#include "ui/theme/theme.h"

#include <QApplication>
#include <QCloseEvent>
#include <QDockWidget>
#include <QDragEnterEvent>
#include <QFileInfo>
#include <QFontDatabase>
#include <QMenuBar>
#include <QMimeData>
#include <QStatusBar>
#include <QToolBar>
#include <QVBoxLayout>

#include <chrono>

namespace isol8::ui {

using namespace Qt::StringLiterals;

namespace {

/// Raised when docks change so that an older layout would hide one.
constexpr int layoutVersion = 1;
constexpr int outputHeight = 260;
constexpr int optionsWidth = 270;
constexpr int filesWidth = 240;
constexpr std::chrono::milliseconds layoutDelay { 1000 };

} // namespace

MainWindow::MainWindow(Services& services, QWidget* parent)
    : QMainWindow(parent)
    , m_services(services)
    , m_actions(new WindowActions(this))
    , m_connection(new Connection(services.engines, this))
    , m_runs(new RunController(this))
    , m_session(new SessionChoice(this))
    , m_tabs(new EditorTabs(services.languages, this))
    , m_output(new OutputPane(m_runs, this))
    , m_options(new RunOptionsPanel(this))
    , m_files(new FilesPanel(this))
    , m_history(new HistoryPanel(services.history, this))
    , m_network(new NetworkLogView(this))
    , m_startPage(new StartPage(this))
    , m_recovery(new Recovery(services.places.dataDirectory + u"/open.json"_s, m_tabs, this))
{
    setObjectName(u"mainWindow"_s);
    setAcceptDrops(true);
    setCentralWidget(makeCentre());
    makeToolBar();
    makeDocks();
    new StatusArea(statusBar(), m_connection, m_runs, m_tabs); // The bar owns it.
    new EditorCommands(*m_actions, m_tabs, services.settings, this);
    new RunCommands({ *m_actions, m_tabs, m_runBar, m_options, m_runs, m_connection, m_session,
                        services.runSettings },
        this);
    auto* sessions = new SessionCommands(
        { *m_actions, m_tabs, m_files, m_session, m_connection, m_runs }, this);
    connect(sessions, &SessionCommands::failed, this, &MainWindow::showSentence);
    new HistoryCommands({ *m_actions, m_tabs, m_history, m_output->view(), m_runs, services.history,
                            services.runSettings },
        this);
    connect(m_history, &HistoryPanel::failed, this, &MainWindow::showSentence);
    auto* check = new StartCheck(m_connection, m_startPage, services.dockerClients, this);
    auto* tools = new ToolCommands({ *m_actions, this, m_runBar, m_runs, m_connection, m_session,
                                       m_startPage, check, services },
        this);
    connect(tools, &ToolCommands::failed, this, &MainWindow::showSentence);
    connectOutput();
    connect(m_tabs, &EditorTabs::failed, this, &MainWindow::showSentence);
    connect(m_tabs, &EditorTabs::currentPageChanged, this, &MainWindow::updateTitle);
    connect(m_tabs, &EditorTabs::pageChanged, this, &MainWindow::updateTitle);
    connect(&services.settings, &SettingsStore::changed, this, &MainWindow::applySettings);
    applySettings();
    m_actions->applyIcons(palette());
    m_layoutTimer.setSingleShot(true);
    m_layoutTimer.setInterval(layoutDelay);
    connect(&m_layoutTimer, &QTimer::timeout, this, &MainWindow::keepLayout);
    restoreLayout();
    if (!m_recovery->restore())
        m_tabs->addPage();
    tools->begin();
}

MainWindow::~MainWindow()
{
    // Docks tell that they are hidden while QWidget deletes them.
    for (auto* dock : findChildren<QDockWidget*>())
        dock->disconnect(this);
}

void MainWindow::makeToolBar()
{
    auto* bar = addToolBar(tr("Tools"));
    bar->setObjectName(u"toolBar"_s);
    bar->setMovable(false);
    bar->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    bar->addAction(m_actions->run);
    bar->addAction(m_actions->stop);
    m_runBar = new RunBar(bar);
    bar->addWidget(m_runBar);
    bar->addAction(m_actions->session);
}

QWidget* MainWindow::makeCentre()
{
    auto* centre = new QWidget(this);
    auto* rows = new QVBoxLayout(centre);
    rows->setContentsMargins(0, 0, 0, 0);
    rows->setSpacing(0);
    rows->addWidget(m_startPage);
    rows->addWidget(m_tabs, 1);
    return centre;
}

QDockWidget* MainWindow::addDock(
    const char* name, const QString& title, QWidget* content, Qt::DockWidgetArea area)
{
    auto* dock = new QDockWidget(title, this);
    dock->setObjectName(QLatin1StringView(name));
    dock->setWidget(content);
    addDockWidget(area, dock);
    const auto schedule = [this] { scheduleLayout(); };
    connect(dock, &QDockWidget::visibilityChanged, this, schedule);
    connect(dock, &QDockWidget::topLevelChanged, this, schedule);
    connect(dock, &QDockWidget::dockLocationChanged, this, schedule);
    addAction(dock->toggleViewAction()); // The palette lists the window's.
    return dock;
}

void MainWindow::makeDocks()
{
    auto* output = addDock("outputDock", tr("Output"), m_output, Qt::BottomDockWidgetArea);
    auto* files = addDock("filesDock", tr("Session files"), m_files, Qt::LeftDockWidgetArea);
    auto* options = addDock("optionsDock", tr("Run options"), m_options, Qt::RightDockWidgetArea);
    auto* history = addDock("historyDock", tr("History"), m_history, Qt::BottomDockWidgetArea);
    tabifyDockWidget(output, history);
    auto* network = addDock("networkDock", tr("Network log"), m_network, Qt::BottomDockWidgetArea);
    tabifyDockWidget(history, network);
    output->raise();
    connect(m_runs, &RunController::started, output, [output] {
        output->show();
        output->raise();
    });
    connect(
        m_runs, &RunController::finished, m_network, [this](const Result<ExecutionResult>& result) {
            m_network->setEntries(result ? result->networkLogs : QList<NetworkLogEntry>());
        });
    connect(m_output, &OutputPane::failed, this, &MainWindow::showSentence);
    connect(m_actions->focusOutput, &QAction::triggered, output, [this, output] {
        output->show();
        output->raise();
        m_output->view()->setFocus();
    });
    m_actions->fillMenus(menuBar(),
        { files->toggleViewAction(), output->toggleViewAction(), history->toggleViewAction(),
            network->toggleViewAction(), options->toggleViewAction() });
    resizeDocks({ output }, { outputHeight }, Qt::Vertical);
    resizeDocks({ files, options }, { filesWidth, optionsWidth }, Qt::Horizontal);
}

void MainWindow::connectOutput()
{
    auto* view = m_output->view();
    connect(m_actions->searchOutput, &QAction::triggered, m_output, &OutputPane::openSearch);
    connect(m_actions->clearOutput, &QAction::triggered, view, &OutputView::clear);
    connect(m_actions->nextProblem, &QAction::triggered, view,
        [view] { view->goToLink(SearchDirection::Forward); });
    connect(m_actions->previousProblem, &QAction::triggered, view,
        [view] { view->goToLink(SearchDirection::Backward); });
    connect(view, &OutputView::linkActivated, this, &MainWindow::followLink);
    connect(m_actions->quit, &QAction::triggered, this, &QWidget::close);
}

/// The program knows its own text as `/sandbox/main` with an extension, whatever it is called here;
/// other files below /sandbox are the session's.
void MainWindow::followLink(const LinkLocation& link)
{
    const auto& job = m_runs->job();
    const bool isProgram = !link.path.startsWith(u'/') || link.path.startsWith(u"/sandbox/main."_s)
        || link.path == u"/sandbox/main"_s;
    const int line = link.line;
    const int column = std::max(1, link.column);
    if (!isProgram) {
        if (m_session->isOn())
            m_files->openFile(link.path, line, column);
        return;
    }
    auto* page
        = job.sourcePath.isEmpty() ? m_tabs->pageNamed(job.title) : m_tabs->open(job.sourcePath);
    if (!page)
        return;
    m_tabs->setCurrentWidget(page);
    page->editor()->goToLine(line, column);
    page->editor()->setFocus();
}

void MainWindow::applySettings()
{
    const auto& values = m_services.settings.values();
    auto font = values.fontFamily.isEmpty() ? QFontDatabase::systemFont(QFontDatabase::FixedFont)
                                            : QFont(values.fontFamily);
    if (values.fontSize > 0)
        font.setPointSize(values.fontSize);
    EditorStyle style;
    style.font = font;
    style.indent = { values.indentWidth, values.isIndentTab };
    style.isWrapping = values.isWrapping;
    style.areSpacesShown = values.areSpacesShown;
    style.areGuidesShown = values.areGuidesShown;
    style.theme = m_services.languages.theme(
        isDark(values.colourScheme) ? u"GitHub Dark"_s : u"GitHub Light"_s);
    m_tabs->setEditorStyle(style);
    m_output->view()->setFont(font);
    OutputBuffer::Limits limits;
    limits.lines = values.scrollBackLines;
    m_output->view()->setScrollBack(limits);
}

void MainWindow::changeEvent(QEvent* event)
{
    QMainWindow::changeEvent(event);
    // Whoever comes back has perhaps just started what was missing.
    if (event->type() == QEvent::ActivationChange && isActiveWindow()
        && m_connection->health() == Connection::Health::Bad)
        m_connection->check();
    if (event->type() != QEvent::PaletteChange)
        return;
    m_actions->applyIcons(palette());
    m_output->applyIcons();
    m_files->applyIcons();
    applySettings();
}

void MainWindow::showSentence(const QString& sentence)
{
    if (auto* page = m_tabs->currentPage())
        page->messageBar()->say(MessageBar::Tone::Error, sentence);
    else
        statusBar()->showMessage(sentence);
}

void MainWindow::updateTitle()
{
    const auto* page = m_tabs->currentPage();
    setWindowTitle(page ? u"%1[*] – isol8"_s.arg(page->title()) : u"isol8"_s);
    setWindowModified(page && page->isModified());
}

void MainWindow::openFiles(const QStringList& paths)
{
    for (const auto& path : paths)
        m_tabs->open(path);
}

void MainWindow::dragEnterEvent(QDragEnterEvent* event)
{
    if (event->mimeData()->hasUrls())
        event->acceptProposedAction();
}

void MainWindow::dropEvent(QDropEvent* event)
{
    QStringList paths;
    for (const auto& url : event->mimeData()->urls()) {
        if (url.isLocalFile() && QFileInfo(url.toLocalFile()).isFile())
            paths << url.toLocalFile();
    }
    openFiles(paths);
    event->acceptProposedAction();
}

void MainWindow::restoreLayout()
{
    resize(1180, 800);
    restoreGeometry(m_services.settings.state(u"geometry"_s).toByteArray());
    restoreState(m_services.settings.state(u"docks"_s).toByteArray(), layoutVersion);
}

/// Soon after a change, so that a crash does not lose it.
void MainWindow::scheduleLayout()
{
    if (!m_isClosing && isVisible())
        m_layoutTimer.start();
}

void MainWindow::keepLayout()
{
    m_layoutTimer.stop();
    m_services.settings.setState(u"geometry"_s, saveGeometry());
    m_services.settings.setState(u"docks"_s, saveState(layoutVersion));
}

void MainWindow::resizeEvent(QResizeEvent* event)
{
    QMainWindow::resizeEvent(event);
    scheduleLayout();
}

void MainWindow::moveEvent(QMoveEvent* event)
{
    QMainWindow::moveEvent(event);
    scheduleLayout();
}

void MainWindow::closeEvent(QCloseEvent* event)
{
    if (m_isClosing) {
        event->accept();
        return;
    }
    event->ignore();
    m_tabs->closeAll([this] {
        m_isClosing = true;
        m_recovery->finish();
        keepLayout();
        m_runs->stop();
        hide();
        m_connection->shutDown([this] {
            close();
            Q_EMIT ended();
        });
    });
}

} // namespace isol8::ui
