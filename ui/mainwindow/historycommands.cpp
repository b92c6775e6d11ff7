// SPDX-License-Identifier: MIT
#include "ui/mainwindow/historycommands.h"

#include "ui/editor/editortabs.h"
#include "ui/history/comparepage.h"
#include "ui/history/historypanel.h"
#include "ui/mainwindow/runcommands.h"
#include "ui/mainwindow/windowactions.h"
#include "ui/output/outputview.h"
#include "ui/run/runcontroller.h"
#include "ui/run/runsettingsstore.h"

#include <QFileInfo>

namespace isol8::ui {

namespace {

/// Of the output's end; the store keeps no more.
constexpr qint64 keptLines = 20'000;

QString tailOf(const OutputBuffer& buffer)
{
    auto tail = wholeOutput(buffer);
    tail.anchor.line = std::max(tail.anchor.line, tail.position.line - keptLines);
    return selectedText(buffer, tail, 1 << 20);
}

} // namespace

HistoryCommands::HistoryCommands(const Parts& parts, QObject* parent)
    : QObject(parent)
    , m_parts(parts)
{
    connect(m_parts.runs, &RunController::finished, this, &HistoryCommands::record);
    connect(m_parts.panel, &HistoryPanel::openRequested, this, &HistoryCommands::open);
    connect(m_parts.panel, &HistoryPanel::runRequested, this, [this](const HistoryDetails& run) {
        open(run);
        m_parts.actions.run->trigger();
    });
    connect(m_parts.panel, &HistoryPanel::compareRequested, this, &HistoryCommands::compare);
}

void HistoryCommands::record(const Result<ExecutionResult>& result)
{
    m_parts.store.add(m_parts.runs->job(), result, tailOf(m_parts.output->buffer()));
}

/// As a text of its own: the file may have changed since.
void HistoryCommands::open(const HistoryDetails& run)
{
    auto* page = m_parts.tabs->currentPage();
    if (!page || !page->isPristine())
        page = m_parts.tabs->addPage();
    page->setNewTitle(run.entry.title);
    page->setLanguageFor(run.entry.title);
    page->editor()->setContent(run.code);
    auto settings = run.settings;
    if (!runtimeOf({}, page->fileName()))
        settings.runtime = run.entry.runtime;
    m_parts.settings.keep(optionsKey(page), settings);
    Q_EMIT m_parts.tabs->currentPageChanged(page);
}

void HistoryCommands::compare(const HistoryDetails& older, const HistoryDetails& newer)
{
    m_parts.tabs->addViewer(new ComparePage(older, newer, m_parts.output->font(), m_parts.tabs));
}

} // namespace isol8::ui
