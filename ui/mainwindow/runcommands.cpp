// SPDX-License-Identifier: MIT
#include "ui/mainwindow/runcommands.h"

#include "engine/core/names.h"
#include "ui/editor/editortabs.h"
#include "ui/editor/messagebar.h"
#include "ui/files/sessionchoice.h"
#include "ui/mainwindow/runbar.h"
#include "ui/mainwindow/windowactions.h"
#include "ui/run/runcontroller.h"
#include "ui/run/runexport.h"
#include "ui/run/runoptionspanel.h"
#include "ui/run/runsentences.h"
#include "ui/run/runsettingsstore.h"
#include "ui/targets/connection.h"

#include <QApplication>
#include <QClipboard>
#include <QUuid>

namespace isol8::ui {

using namespace Qt::StringLiterals;

namespace {

/// Under what a page's options are kept when it is no file of this machine.
constexpr char keyProperty[] = "optionsKey";

} // namespace

QString optionsKey(EditorPage* page)
{
    if (!page->path().isEmpty())
        return page->path();
    auto key = page->property(keyProperty).toString();
    if (key.isEmpty()) {
        key = u"page:"_s + QUuid::createUuid().toString(QUuid::Id128);
        page->setProperty(keyProperty, key);
    }
    return key;
}

RunCommands::RunCommands(const Parts& parts, QObject* parent)
    : QObject(parent)
    , m_parts(parts)
{
    const auto& actions = m_parts.actions;
    connect(actions.run, &QAction::triggered, this, &RunCommands::run);
    connect(actions.stop, &QAction::triggered, m_parts.runs, &RunController::stop);
    connect(actions.interrupt, &QAction::triggered, m_parts.runs, &RunController::interrupt);
    connect(actions.checkTarget, &QAction::triggered, m_parts.connection, &Connection::check);
    const auto copyCommandLine = [this] {
        copy([this](const RunJob& job) {
            return commandLineOf(job, m_parts.connection->target(), ExecutionOptions());
        });
    };
    const auto copyCurl = [this] {
        copy([this](const RunJob& job) { return curlOf(job, m_parts.connection->target()); });
    };
    connect(actions.copyCommandLine, &QAction::triggered, this, copyCommandLine);
    connect(actions.copyCurl, &QAction::triggered, this, copyCurl);
    auto* options = m_parts.options;
    connect(options, &RunOptionsPanel::copyCommandLineRequested, this, copyCommandLine);
    connect(options, &RunOptionsPanel::copyCurlRequested, this, copyCurl);
    connect(options, &RunOptionsPanel::edited, this, &RunCommands::keepOptions);
    connect(options, &RunOptionsPanel::resetRequested, this, [this] {
        keepOptions(m_parts.store.defaults());
        showOptions();
    });
    connect(m_parts.bar, &RunBar::runtimeChosen, this, &RunCommands::chooseRuntime);
    connect(m_parts.tabs, &EditorTabs::currentPageChanged, this, &RunCommands::showOptions);
    connect(m_parts.tabs, &EditorTabs::pageChanged, this, [this](EditorPage* page) {
        if (page == m_parts.tabs->currentPage())
            m_parts.bar->setDetected(runtimeOf({}, page->fileName()));
    });
    connect(m_parts.runs, &RunController::started, this, &RunCommands::updateActions);
    connect(m_parts.runs, &RunController::finished, this, &RunCommands::handleEnd);
    updateActions();
}

void RunCommands::chooseRuntime(std::optional<Runtime> runtime)
{
    auto settings = m_parts.options->settings();
    settings.runtime = runtime;
    keepOptions(settings);
    // A text without a name is written in what it is run with.
    auto* page = m_parts.tabs->currentPage();
    if (page && runtime && page->path().isEmpty() && !page->sessionFile())
        page->setLanguageFor(u"main"_s + extensionsOf(*runtime).value(0));
    showOptions();
}

void RunCommands::handleEnd(const Result<ExecutionResult>& result)
{
    updateActions();
    // A sandbox that ended by itself may have ended with its Docker.
    const bool isLost = result
        ? result->ending.reason == EndReason::EngineLost
        : result.error().kind == Kind::Unreachable || result.error().kind == Kind::Internal;
    if (isLost)
        m_parts.connection->check();
}

/// A page that became a file takes its options along.
QString RunCommands::keyOf(EditorPage* page)
{
    const auto key = optionsKey(page);
    const auto before = page->property(keyProperty).toString();
    if (!page->path().isEmpty() && !before.isEmpty()) {
        m_parts.store.keep(key, m_parts.store.find(before));
        page->setProperty(keyProperty, QVariant());
    }
    return key;
}

void RunCommands::showOptions()
{
    auto* page = m_parts.tabs->currentPage();
    m_parts.options->setEnabled(page);
    updateActions();
    if (!page)
        return;
    const auto settings = m_parts.store.find(keyOf(page));
    m_parts.options->setValues(settings);
    m_parts.bar->setRuntime(settings.runtime);
    m_parts.bar->setDetected(runtimeOf({}, page->fileName()));
}

void RunCommands::keepOptions(const RunSettings& settings)
{
    if (auto* page = m_parts.tabs->currentPage())
        m_parts.store.keep(keyOf(page), settings);
}

void RunCommands::updateActions()
{
    const bool isRunning = m_parts.runs->isRunning();
    const bool hasPage = m_parts.tabs->currentPage();
    m_parts.actions.run->setEnabled(!isRunning && hasPage);
    m_parts.actions.stop->setEnabled(isRunning);
    m_parts.actions.interrupt->setEnabled(isRunning);
    m_parts.actions.copyCommandLine->setEnabled(hasPage);
    m_parts.actions.copyCurl->setEnabled(hasPage);
    m_parts.bar->setTargetEnabled(!isRunning);
}

Result<RunJob> RunCommands::plan(EditorPage* page)
{
    auto job = planRun({ page->bytes(), page->fileName(), page->path() },
        m_parts.store.find(keyOf(page)), m_parts.session->current());
    if (job)
        job->targetName = m_parts.connection->target().name;
    return job;
}

void RunCommands::run()
{
    auto* page = m_parts.tabs->currentPage();
    if (!page || m_parts.runs->isRunning())
        return;
    page->messageBar()->withdraw(m_said);
    const auto engine = m_parts.connection->engine();
    if (!engine) {
        say(page, m_parts.connection->error());
        return;
    }
    const auto job = plan(page);
    if (!job)
        say(page, job.error());
    else
        m_parts.runs->start(engine, *job);
}

void RunCommands::copy(const std::function<QString(const RunJob&)>& text)
{
    auto* page = m_parts.tabs->currentPage();
    if (!page)
        return;
    const auto job = plan(page);
    if (!job)
        say(page, job.error());
    else
        QApplication::clipboard()->setText(text(*job));
}

void RunCommands::say(EditorPage* page, const Error& error)
{
    m_said = failureSentence(error);
    page->messageBar()->say(MessageBar::Tone::Error, m_said);
}

} // namespace isol8::ui
