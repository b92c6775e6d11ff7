// SPDX-License-Identifier: MIT
#include "ui/mainwindow/statusarea.h"

#include "ui/editor/editortabs.h"
#include "ui/run/runcontroller.h"
#include "ui/run/runsentences.h"
#include "ui/targets/connection.h"

#include <QLabel>
#include <QPainter>
#include <QStatusBar>
#include <QTimer>
#include <QToolButton>

namespace isol8::ui {

using namespace Qt::StringLiterals;

namespace {

constexpr int runInterval = 200; // ms

QIcon dot(const QColor& colour)
{
    QIcon icon;
    for (const int size : { 16, 24, 32, 48 }) { // For every scaling of the screen.
        QPixmap pixmap(size, size);
        pixmap.fill(Qt::transparent);
        QPainter painter(&pixmap);
        painter.setRenderHint(QPainter::Antialiasing);
        painter.setPen(Qt::NoPen);
        painter.setBrush(colour);
        painter.drawEllipse(QRectF(size / 4.0, size / 4.0, size / 2.0, size / 2.0));
        painter.end();
        icon.addPixmap(pixmap);
    }
    return icon;
}

} // namespace

StatusArea::StatusArea(
    QStatusBar* bar, Connection* connection, RunController* runs, EditorTabs* tabs)
    : QObject(bar)
    , m_bar(bar)
    , m_connection(connection)
    , m_runs(runs)
    , m_tabs(tabs)
    , m_health(new QToolButton(bar))
    , m_run(new QLabel(bar))
    , m_cursor(new QLabel(bar))
    , m_language(new QLabel(bar))
{
    m_health->setObjectName(u"targetHealth"_s);
    m_health->setAutoRaise(true);
    m_health->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    m_run->setObjectName(u"runTime"_s);
    m_run->setMinimumWidth(
        m_run->fontMetrics().horizontalAdvance(tr("Running for %1").arg(u"000.0 ms"_s)));
    m_cursor->setObjectName(u"cursorPlace"_s);
    m_language->setObjectName(u"language"_s);
    bar->addWidget(m_health);
    bar->addWidget(m_run);
    bar->addPermanentWidget(m_language);
    bar->addPermanentWidget(m_cursor);

    auto* clock = new QTimer(this);
    clock->setInterval(runInterval);
    connect(clock, &QTimer::timeout, this, &StatusArea::showRun);
    connect(runs, &RunController::started, clock, qOverload<>(&QTimer::start));
    connect(runs, &RunController::finished, this, [this, clock] {
        clock->stop();
        showRun();
    });
    connect(connection, &Connection::healthChanged, this, &StatusArea::showHealth);
    connect(m_health, &QToolButton::clicked, connection, &Connection::check);
    connect(tabs, &EditorTabs::currentPageChanged, this, [this](EditorPage* page) {
        if (page)
            connect(page->editor(), &QPlainTextEdit::cursorPositionChanged, this,
                &StatusArea::showCursor, Qt::UniqueConnection);
        showCursor();
    });
    connect(tabs, &EditorTabs::pageChanged, this, &StatusArea::showCursor);
    showHealth();
    showCursor();
}

void StatusArea::showHealth()
{
    const auto name = m_connection->target().name;
    QString text = name;
    QColor colour(0x8b949e);
    switch (m_connection->health()) {
    case Connection::Health::Unknown:
        break;
    case Connection::Health::Checking:
        text = tr("%1: asking …").arg(name);
        break;
    case Connection::Health::Good:
        text = tr("%1: ready").arg(name);
        colour = QColor(0x2da44e);
        break;
    case Connection::Health::Bad:
        text = tr("%1: not available").arg(name);
        colour = QColor(0xd1242f);
        break;
    }
    m_health->setText(text);
    m_health->setIcon(dot(colour));
    m_health->setAccessibleName(text);
    m_health->setToolTip(m_connection->health() == Connection::Health::Bad
            ? failureSentence(m_connection->error()) + u'\n' + tr("Click to ask again")
            : tr("Click to ask again"));
}

void StatusArea::showRun()
{
    m_run->setText(
        m_runs->isRunning() ? tr("Running for %1").arg(timeText(m_runs->elapsed())) : QString());
}

void StatusArea::showCursor()
{
    const auto* page = m_tabs->currentPage();
    if (!page) {
        m_cursor->clear();
        m_language->clear();
        return;
    }
    const auto cursor = page->editor()->textCursor();
    auto text
        = tr("Line %1, column %2").arg(cursor.blockNumber() + 1).arg(cursor.positionInBlock() + 1);
    if (cursor.hasSelection())
        text += tr(" (%n selected)", nullptr, cursor.selectionEnd() - cursor.selectionStart());
    m_cursor->setText(text);
    const auto& definition = page->editor()->definition();
    m_language->setText(definition.isValid() ? definition.translatedName() : tr("Plain text"));
}

} // namespace isol8::ui
