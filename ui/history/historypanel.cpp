// SPDX-License-Identifier: MIT
#include "ui/history/historypanel.h"

#include "ui/history/historymodel.h"
#include "ui/run/runsentences.h"

#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QMessageBox>
#include <QPushButton>
#include <QTableView>
#include <QTimer>
#include <QVBoxLayout>

#include <algorithm>

namespace isol8::ui {

using namespace Qt::StringLiterals;

namespace {
constexpr std::chrono::milliseconds searchDelay { 150 };
}

HistoryPanel::HistoryPanel(HistoryStore& store, QWidget* parent)
    : QWidget(parent)
    , m_store(store)
    , m_model(new HistoryModel(store, this))
    , m_search(new QLineEdit(this))
    , m_view(new QTableView(this))
    , m_open(new QPushButton(tr("&Open"), this))
    , m_run(new QPushButton(tr("Run &again"), this))
    , m_compare(new QPushButton(tr("&Compare"), this))
    , m_remove(new QPushButton(tr("&Delete"), this))
{
    setObjectName(u"historyPanel"_s);
    m_search->setObjectName(u"historySearch"_s);
    m_search->setAccessibleName(tr("Search the history"));
    m_search->setPlaceholderText(tr("Search names, code and output"));
    m_search->setClearButtonEnabled(true);
    m_view->setObjectName(u"historyView"_s);
    m_view->setAccessibleName(tr("Past runs"));
    m_view->setModel(m_model);
    m_view->setSelectionBehavior(QAbstractItemView::SelectRows);
    m_view->setSelectionMode(QAbstractItemView::ExtendedSelection);
    m_view->setShowGrid(false);
    m_view->setFrameShape(QFrame::NoFrame);
    m_view->setTabKeyNavigation(false);
    m_view->setWordWrap(false);
    m_view->verticalHeader()->hide();
    m_view->verticalHeader()->setDefaultSectionSize(fontMetrics().height() + 8);
    m_view->horizontalHeader()->setHighlightSections(false);
    m_view->horizontalHeader()->setDefaultAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    m_view->horizontalHeader()->setSectionResizeMode(QHeaderView::ResizeToContents);
    m_view->horizontalHeader()->setSectionResizeMode(HistoryModel::Ending, QHeaderView::Stretch);
    m_open->setObjectName(u"historyOpen"_s);
    m_run->setObjectName(u"historyRun"_s);
    m_compare->setObjectName(u"historyCompare"_s);
    m_compare->setToolTip(tr("Compare the output of two runs"));
    m_remove->setObjectName(u"historyRemove"_s);
    auto* clear = new QPushButton(tr("Delete all…"), this);
    clear->setObjectName(u"historyClear"_s);

    auto* buttons = new QHBoxLayout;
    buttons->setContentsMargins(8, 4, 8, 4);
    buttons->addWidget(m_search, 1);
    for (auto* button : { m_open, m_run, m_compare, m_remove, clear })
        buttons->addWidget(button);
    auto* rows = new QVBoxLayout(this);
    rows->setContentsMargins(0, 0, 0, 0);
    rows->setSpacing(0);
    rows->addLayout(buttons);
    if (!store.problem().isEmpty())
        rows->addWidget(new QLabel(tr("There is no history: %1").arg(store.problem()), this));
    rows->addWidget(m_view, 1);

    auto* delay = new QTimer(this);
    delay->setSingleShot(true);
    delay->setInterval(searchDelay);
    connect(m_search, &QLineEdit::textChanged, delay, qOverload<>(&QTimer::start));
    connect(delay, &QTimer::timeout, this, [this] { m_model->search(m_search->text()); });
    connect(&store, &HistoryStore::changed, m_model, &HistoryModel::reload);
    connect(m_model, &QAbstractItemModel::modelReset, this, &HistoryPanel::updateButtons);
    connect(m_view->selectionModel(), &QItemSelectionModel::selectionChanged, this,
        &HistoryPanel::updateButtons);
    const auto open = [this] { act([this](const auto& run) { Q_EMIT openRequested(run); }); };
    connect(m_view, &QTableView::activated, this, open);
    connect(m_open, &QPushButton::clicked, this, open);
    connect(m_run, &QPushButton::clicked, this,
        [this] { act([this](const auto& run) { Q_EMIT runRequested(run); }); });
    connect(m_compare, &QPushButton::clicked, this, &HistoryPanel::compare);
    connect(m_remove, &QPushButton::clicked, this, [this] { m_store.remove(selectedIds()); });
    connect(clear, &QPushButton::clicked, this, &HistoryPanel::askToClear);
    updateButtons();
}

QList<qint64> HistoryPanel::selectedIds() const
{
    QList<qint64> ids;
    for (const auto& index : m_view->selectionModel()->selectedRows())
        ids << m_model->entry(index.row()).id;
    return ids;
}

void HistoryPanel::updateButtons()
{
    const auto count = selectedIds().size();
    m_open->setEnabled(count == 1);
    m_run->setEnabled(count == 1);
    m_compare->setEnabled(count == 2);
    m_remove->setEnabled(count > 0);
}

void HistoryPanel::act(const std::function<void(const HistoryDetails&)>& what)
{
    const auto ids = selectedIds();
    if (ids.size() != 1)
        return;
    const auto details = m_store.details(ids.constFirst());
    if (details)
        what(*details);
    else
        Q_EMIT failed(failureSentence(details.error()));
}

void HistoryPanel::compare()
{
    auto ids = selectedIds();
    if (ids.size() != 2)
        return;
    std::ranges::sort(ids);
    const auto older = m_store.details(ids[0]);
    const auto newer = m_store.details(ids[1]);
    if (older && newer)
        Q_EMIT compareRequested(*older, *newer);
}

void HistoryPanel::askToClear()
{
    auto* question = new QMessageBox(QMessageBox::Warning, tr("Delete the history"),
        tr("Delete all past runs?"), QMessageBox::Yes | QMessageBox::Cancel, this);
    question->setObjectName(u"clearQuestion"_s);
    question->setAttribute(Qt::WA_DeleteOnClose);
    question->button(QMessageBox::Yes)->setText(tr("Delete"));
    connect(question, &QMessageBox::finished, this, [this](int answer) {
        if (answer == QMessageBox::Yes)
            m_store.clear();
    });
    question->open();
}

} // namespace isol8::ui
