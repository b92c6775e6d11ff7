// SPDX-License-Identifier: MIT
#include "ui/mainwindow/toolcommands.h"

#include "engine/docker/client.h"
#include "ui/files/sessionchoice.h"
#include "ui/images/imagesdialog.h"
#include "ui/mainwindow/commandpalette.h"
#include "ui/mainwindow/runbar.h"
#include "ui/mainwindow/windowactions.h"
#include "ui/run/runcontroller.h"
#include "ui/run/runsentences.h"
#include "ui/services.h"
#include "ui/settings/settingsdialog.h"
#include "ui/start/startcheck.h"
#include "ui/start/startpage.h"
#include "ui/targets/connection.h"
#include "ui/targets/serversdialog.h"
#include "ui/targets/sessionsdialog.h"

#include <QMessageBox>
#include <QPointer>

namespace isol8::ui {

using namespace Qt::StringLiterals;

ToolCommands::ToolCommands(const Parts& parts, QObject* parent)
    : QObject(parent)
    , m_parts(parts)
{
    const auto& actions = m_parts.actions;
    connect(actions.servers, &QAction::triggered, this, &ToolCommands::openServers);
    connect(actions.sessions, &QAction::triggered, this, &ToolCommands::openSessions);
    connect(actions.images, &QAction::triggered, this, &ToolCommands::openImages);
    connect(actions.settings, &QAction::triggered, this, &ToolCommands::openSettings);
    connect(actions.palette, &QAction::triggered, this, &ToolCommands::openPalette);
    connect(actions.about, &QAction::triggered, this, &ToolCommands::openAbout);
    connect(m_parts.startPage, &StartPage::serversRequested, this, &ToolCommands::openServers);
    connect(m_parts.startPage, &StartPage::buildRequested, this, [this] {
        if (auto* images = openImages())
            images->buildMissing();
    });
    connect(&m_parts.services.targets, &TargetStore::changed, this, [this] {
        showTargets();
        // The one that is in use was edited or removed.
        const auto& now = m_parts.connection->target();
        const auto kept = m_parts.services.targets.find(now.id);
        if (kept != now && !m_parts.runs->isRunning())
            choose(kept.id);
    });
    connect(&m_parts.services.keys, &KeyStore::kept, this, [this](const QString& id) {
        if (id == m_parts.connection->target().id && !m_parts.runs->isRunning())
            choose(id);
    });
    connect(m_parts.bar, &RunBar::targetChosen, this, &ToolCommands::choose);
}

void ToolCommands::begin()
{
    choose(m_parts.services.settings.state(u"target"_s).toString());
}

void ToolCommands::showTargets()
{
    m_parts.bar->setTargets(m_parts.services.targets.targets(), m_parts.connection->target().id);
}

void ToolCommands::choose(const QString& targetId)
{
    const auto target = m_parts.services.targets.find(targetId);
    m_parts.services.settings.setState(u"target"_s, target.id);
    if (target.isLocal()) {
        m_parts.connection->choose(target);
        showTargets();
        return;
    }
    const QPointer here(this);
    m_parts.services.keys.find(target.id, [this, here, target](const Result<QString>& key) {
        if (!here || m_parts.runs->isRunning())
            return;
        if (!key)
            Q_EMIT failed(tr("%1: %2").arg(target.name, failureSentence(key.error())));
        m_parts.connection->choose(target, key.value_or(QString()));
        showTargets();
    });
}

void ToolCommands::openServers()
{
    auto* dialog = new ServersDialog(
        m_parts.services.targets, m_parts.services.keys, m_parts.services.engines, m_parts.window);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->open();
}

void ToolCommands::openSessions()
{
    auto* dialog = new SessionsDialog(m_parts.connection, m_parts.window);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    connect(dialog, &SessionsDialog::attachRequested, m_parts.session, &SessionChoice::choose);
    connect(dialog, &SessionsDialog::stopped, this, [this](const QString& id) {
        if (m_parts.session->id() == id)
            m_parts.session->setOn(false);
    });
    dialog->open();
}

ImagesDialog* ToolCommands::openImages()
{
    if (m_images) {
        m_images->show();
        m_images->raise();
        return m_images;
    }
    const auto client = m_parts.services.dockerClients ? m_parts.services.dockerClients() : nullptr;
    if (!client) {
        Q_EMIT failed(tr("The images are those of this computer's Docker, which is not there."));
        return nullptr;
    }
    m_images = new ImagesDialog(client, m_parts.services.imageSettings(), m_parts.window);
    m_images->setAttribute(Qt::WA_DeleteOnClose);
    connect(m_images, &ImagesDialog::changed, m_parts.startCheck, &StartCheck::checkImages);
    m_images->show();
    return m_images;
}

void ToolCommands::openSettings()
{
    auto& services = m_parts.services;
    auto* dialog = new SettingsDialog(
        services.settings, services.places.home + u"/.isol8/config.json"_s, m_parts.window);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    connect(dialog, &SettingsDialog::configSaved, this,
        [this] { m_parts.services.readConfiguration(); });
    dialog->open();
}

void ToolCommands::openPalette()
{
    auto* palette = new CommandPalette(m_parts.window->actions(), m_parts.window);
    palette->show();
}

void ToolCommands::openAbout()
{
    auto* box = new QMessageBox(QMessageBox::NoIcon, tr("About isol8"),
        tr("isol8 %1").arg(QStringLiteral(ISOL8_VERSION)), QMessageBox::Close, m_parts.window);
    box->setObjectName(u"aboutBox"_s);
    box->setAttribute(Qt::WA_DeleteOnClose);
    box->setInformativeText(
        tr("Runs code that nobody has to trust, in locked-down containers. MIT licence."));
    box->setIconPixmap(QIcon(u":/isol8/isol8.svg"_s).pixmap(64));
    box->open();
}

} // namespace isol8::ui
