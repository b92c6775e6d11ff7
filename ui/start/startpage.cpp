// SPDX-License-Identifier: MIT
#include "ui/start/startpage.h"

#include <QDir>
#include <QFontDatabase>
#include <QHBoxLayout>
#include <QLabel>
#include <QPlainTextEdit>
#include <QProcess>
#include <QPushButton>
#include <QStandardPaths>
#include <QVBoxLayout>

#include <algorithm>

namespace isol8::ui {

using namespace Qt::StringLiterals;

namespace {

struct Advice {
    QString title;
    QString text;
    QString command; ///< For a terminal.
    QString button; ///< Empty: nothing that a window can do.
};

bool canAskForRights()
{
    return !QStandardPaths::findExecutable(u"pkexec"_s).isEmpty()
        && !QStandardPaths::findExecutable(u"systemctl"_s).isEmpty();
}

Advice adviceFor(StartPage::Problem problem, const QString& detail)
{
    using Problem = StartPage::Problem;
    switch (problem) {
    case Problem::None:
        return {};
    case Problem::DockerMissing:
        return { StartPage::tr("Docker is not installed"),
            StartPage::tr("Programs run in containers of Docker. Install it, or run on a server."),
            u"sudo apt-get install docker.io     # Debian, Ubuntu\n"
            "sudo dnf install moby-engine        # Fedora"_s,
            {} };
    case Problem::DockerStopped:
        return { StartPage::tr("Docker is not running"), detail, u"sudo systemctl start docker"_s,
            canAskForRights() ? StartPage::tr("Start Docker") : QString() };
    case Problem::NoPermission:
        return { StartPage::tr("You may not use Docker yet"),
            StartPage::tr("Join its group, then log out and in again. Members of this group can do "
                          "everything on this computer."),
            u"sudo usermod -aG docker $USER"_s, {} };
    case Problem::NoImages:
        return { StartPage::tr("The images are not built yet"),
            StartPage::tr("Each language runs in an image of its own. Building all of them takes "
                          "some minutes, once."),
            u"isol8 setup"_s, StartPage::tr("Build the images") };
    case Problem::Other:
        return { StartPage::tr("Docker cannot be used"), detail, u"isol8 doctor"_s, {} };
    }
    return {};
}

} // namespace

StartPage::StartPage(QWidget* parent)
    : QFrame(parent)
    , m_title(new QLabel(this))
    , m_text(new QLabel(this))
    , m_command(new QPlainTextEdit(this))
    , m_fix(new QPushButton(this))
{
    setObjectName(u"startPage"_s);
    setAutoFillBackground(true);
    setBackgroundRole(QPalette::AlternateBase);
    auto font = m_title->font();
    font.setPointSizeF(font.pointSizeF() * 1.3);
    font.setBold(true);
    m_title->setFont(font);
    m_title->setObjectName(u"startTitle"_s);
    m_text->setObjectName(u"startText"_s);
    m_text->setTextFormat(Qt::PlainText);
    m_text->setWordWrap(true);
    m_command->setObjectName(u"startCommand"_s);
    m_command->setAccessibleName(tr("What to type in a terminal"));
    m_command->setReadOnly(true);
    m_command->setFont(QFontDatabase::systemFont(QFontDatabase::FixedFont));
    m_command->setTabChangesFocus(true);
    m_fix->setObjectName(u"startFix"_s);
    auto* again = new QPushButton(tr("Ask again"), this);
    again->setObjectName(u"startAgain"_s);
    auto* servers = new QPushButton(tr("Use a server…"), this);
    servers->setObjectName(u"startServers"_s);
    auto* buttons = new QHBoxLayout;
    buttons->addWidget(m_fix);
    buttons->addWidget(again);
    buttons->addWidget(servers);
    buttons->addStretch(1);
    auto* rows = new QVBoxLayout(this);
    rows->setContentsMargins(20, 14, 20, 14);
    rows->setSpacing(8);
    rows->addWidget(m_title);
    rows->addWidget(m_text);
    rows->addWidget(m_command);
    rows->addLayout(buttons);
    connect(m_fix, &QPushButton::clicked, this, &StartPage::fix);
    connect(again, &QPushButton::clicked, this, &StartPage::checkRequested);
    connect(servers, &QPushButton::clicked, this, &StartPage::serversRequested);
    hide();
}

void StartPage::setProblem(Problem problem, const QString& detail)
{
    m_problem = problem;
    const auto advice = adviceFor(problem, detail);
    m_title->setText(advice.title);
    m_text->setText(advice.text);
    m_command->setPlainText(advice.command);
    const auto lines = advice.command.count(u'\n') + 1;
    m_command->setFixedHeight(int(m_command->fontMetrics().lineSpacing() * lines + 14));
    m_fix->setText(advice.button);
    m_fix->setVisible(!advice.button.isEmpty());
    setVisible(problem != Problem::None);
}

QStringList StartPage::programPlaces()
{
    return qEnvironmentVariable("PATH").split(QDir::listSeparator(), Qt::SkipEmptyParts)
        + QStringList { u"/usr/sbin"_s, u"/usr/bin"_s, u"/usr/local/bin"_s, u"/sbin"_s };
}

StartPage::Problem StartPage::problemOf(const Error& error, const QStringList& places)
{
    if (error.kind == Kind::Denied)
        return Problem::NoPermission;
    if (error.kind != Kind::Unreachable)
        return Problem::Other;
    const bool isInstalled = std::ranges::any_of(
        QStringList { u"dockerd"_s, u"docker"_s }, [&places](const QString& program) {
            return !QStandardPaths::findExecutable(program, places).isEmpty();
        });
    return isInstalled ? Problem::DockerStopped : Problem::DockerMissing;
}

void StartPage::fix()
{
    if (m_problem == Problem::NoImages) {
        Q_EMIT buildRequested();
        return;
    }
    auto* process = new QProcess(this);
    connect(process, &QProcess::finished, this, [this, process] {
        process->deleteLater();
        Q_EMIT checkRequested();
    });
    process->start(u"pkexec"_s, { u"systemctl"_s, u"start"_s, u"docker"_s });
}

} // namespace isol8::ui
