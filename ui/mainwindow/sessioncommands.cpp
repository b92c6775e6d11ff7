// SPDX-License-Identifier: MIT
#include "ui/mainwindow/sessioncommands.h"

#include "ui/editor/editortabs.h"
#include "ui/editor/messagebar.h"
#include "ui/files/filespanel.h"
#include "ui/files/sessionchoice.h"
#include "ui/files/viewers.h"
#include "ui/mainwindow/windowactions.h"
#include "ui/run/runcontroller.h"
#include "ui/run/runsentences.h"
#include "ui/targets/connection.h"

#include <QCoroTask>
#include <QPointer>

namespace isol8::ui {

SessionCommands::SessionCommands(const Parts& parts, QObject* parent)
    : QObject(parent)
    , m_parts(parts)
{
    auto* session = m_parts.session;
    connect(m_parts.actions.session, &QAction::toggled, session, &SessionChoice::setOn);
    connect(session, &SessionChoice::changed, this, [this, session] {
        m_parts.actions.session->setChecked(session->isOn());
        showPlace();
    });
    connect(m_parts.connection, &Connection::targetChanged, this, &SessionCommands::showPlace);
    connect(
        m_parts.files, &FilesPanel::sessionRequested, this, [session] { session->setOn(true); });
    connect(m_parts.files, &FilesPanel::openRequested, this, &SessionCommands::open);
    connect(m_parts.files, &FilesPanel::failed, this, &SessionCommands::failed);
    connect(m_parts.tabs, &EditorTabs::sessionSaveRequested, this, &SessionCommands::save);
    connect(m_parts.runs, &RunController::finished, this, [this] {
        if (!m_parts.runs->job().sessionId.isEmpty())
            m_parts.files->refresh();
    });
    showPlace();
}

void SessionCommands::showPlace()
{
    const auto* connection = m_parts.connection;
    m_parts.files->setPlace(
        { connection->engine(), connection->target().id, m_parts.session->current() });
}

void SessionCommands::open(
    const SessionPlace& place, const QString& path, const QByteArray& content, int line, int column)
{
    const auto name = path.section(u'/', -1);
    if (!hasViewer(name)) {
        auto* page
            = m_parts.tabs->openSessionFile({ place.targetId, place.sessionId, path }, content);
        if (page && line > 0)
            page->editor()->goToLine(line, column);
        return;
    }
    const auto viewer = makeViewer(name, content, m_parts.tabs);
    if (viewer)
        m_parts.tabs->addViewer(*viewer);
    else
        Q_EMIT failed(failureSentence(viewer.error().within(name)));
}

void SessionCommands::save(EditorPage* page)
{
    const auto file = *page->sessionFile();
    const auto engine = m_parts.connection->engine();
    if (!engine || m_parts.connection->target().id != file.targetId) {
        page->messageBar()->say(MessageBar::Tone::Error,
            tr("This file belongs to a session of another target. Choose that target to save it, "
               "or save it on this computer with “Save as”."));
        return;
    }
    const auto revision = page->editor()->document()->revision();
    QCoro::connect(engine->putFile(file.sessionId, file.path, page->bytes()), this,
        [this, page = QPointer(page), revision](const Result<>& result) {
            if (!page)
                return;
            if (!result)
                page->messageBar()->say(MessageBar::Tone::Error, failureSentence(result.error()));
            else if (page->editor()->document()->revision() == revision)
                page->markSaved();
            m_parts.files->refresh();
        });
}

} // namespace isol8::ui
