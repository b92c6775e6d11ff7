// SPDX-License-Identifier: MIT
#include "ui/targets/sessionsdialog.h"

#include "engine/core/escape.h"
#include "engine/core/names.h"
#include "ui/run/runsentences.h"

#include <QCoroTask>
#include <QDialogButtonBox>
#include <QHeaderView>
#include <QLabel>
#include <QLocale>
#include <QPushButton>
#include <QTableWidget>
#include <QVBoxLayout>

namespace isol8::ui {

using namespace Qt::StringLiterals;

SessionsDialog::SessionsDialog(Connection* connection, QWidget* parent)
    : QDialog(parent)
    , m_connection(connection)
    , m_table(new QTableWidget(0, 4, this))
    , m_message(new QLabel(this))
{
    setObjectName(u"sessionsDialog"_s);
    setWindowTitle(tr("Sessions on %1").arg(connection->target().name));
    resize(620, 340);
    m_table->setObjectName(u"sessionTable"_s);
    m_table->setAccessibleName(tr("Sessions"));
    m_table->setHorizontalHeaderLabels({ tr("Session"), tr("Runtime"), tr("State"), tr("Since") });
    m_table->horizontalHeader()->setSectionResizeMode(QHeaderView::ResizeToContents);
    m_table->horizontalHeader()->setSectionResizeMode(0, QHeaderView::Stretch);
    m_table->horizontalHeader()->setHighlightSections(false);
    m_table->verticalHeader()->hide();
    m_table->horizontalHeader()->setDefaultAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    m_table->setSelectionBehavior(QAbstractItemView::SelectRows);
    m_table->setSelectionMode(QAbstractItemView::SingleSelection);
    m_table->setEditTriggers(QAbstractItemView::NoEditTriggers);
    m_table->setTabKeyNavigation(false);
    m_message->setTextFormat(Qt::PlainText);
    m_message->setWordWrap(true);
    auto* box = new QDialogButtonBox(QDialogButtonBox::Close, this);
    m_attach = box->addButton(tr("&Use"), QDialogButtonBox::AcceptRole);
    m_attach->setObjectName(u"sessionAttach"_s);
    m_stop = box->addButton(tr("&Stop"), QDialogButtonBox::DestructiveRole);
    m_stop->setObjectName(u"sessionStop"_s);
    auto* refresh = box->addButton(tr("&Refresh"), QDialogButtonBox::ActionRole);
    auto* rows = new QVBoxLayout(this);
    rows->addWidget(m_table, 1);
    rows->addWidget(m_message);
    rows->addWidget(box);
    connect(box, &QDialogButtonBox::rejected, this, &QDialog::reject);
    connect(refresh, &QPushButton::clicked, connection, &Connection::check);
    connect(m_attach, &QPushButton::clicked, this, [this] {
        Q_EMIT attachRequested(currentId());
        accept();
    });
    connect(m_stop, &QPushButton::clicked, this, &SessionsDialog::stop);
    connect(m_table, &QTableWidget::itemSelectionChanged, this, &SessionsDialog::updateButtons);
    connect(connection, &Connection::healthChanged, this, &SessionsDialog::fill);
    fill();
    connection->check();
}

QString SessionsDialog::currentId() const
{
    const auto* item = m_table->item(m_table->currentRow(), 0);
    return item && item->isSelected() ? item->data(Qt::UserRole).toString() : QString();
}

void SessionsDialog::fill()
{
    const auto selected = currentId();
    const auto& sessions = m_connection->sessions();
    m_table->setRowCount(int(sessions.size()));
    for (int row = 0; row < sessions.size(); ++row) {
        const auto& session = sessions[row];
        auto* name = new QTableWidgetItem(printable(session.id));
        name->setData(Qt::UserRole, session.id);
        m_table->setItem(row, 0, name);
        m_table->setItem(row, 1, new QTableWidgetItem(runtimeName(session.runtime)));
        m_table->setItem(
            row, 2, new QTableWidgetItem(session.isActive ? tr("running") : tr("waiting")));
        const auto since = session.created.isValid() ? session.created : session.lastUsed;
        m_table->setItem(row, 3,
            new QTableWidgetItem(since.isValid()
                    ? QLocale().toString(since.toLocalTime(), QLocale::ShortFormat)
                    : QString()));
        if (session.id == selected)
            m_table->selectRow(row);
    }
    if (m_connection->health() == Connection::Health::Bad)
        m_message->setText(failureSentence(m_connection->error()));
    else
        m_message->setText(sessions.isEmpty() ? tr("There are no sessions.") : QString());
    updateButtons();
}

void SessionsDialog::updateButtons()
{
    m_attach->setEnabled(!currentId().isEmpty());
    m_stop->setEnabled(!currentId().isEmpty());
}

void SessionsDialog::stop()
{
    const auto id = currentId();
    const auto engine = m_connection->engine();
    if (id.isEmpty() || !engine)
        return;
    QCoro::connect(engine->stopSession(id), this, [this, id](const Result<bool>& result) {
        if (!result)
            m_message->setText(failureSentence(result.error()));
        else
            Q_EMIT stopped(id);
        m_connection->check();
    });
}

} // namespace isol8::ui
