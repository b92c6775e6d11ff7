// SPDX-License-Identifier: MIT
#include "ui/history/historymodel.h"

#include "ui/run/runsentences.h"

#include <QColor>
#include <QGuiApplication>
#include <QLocale>
#include <QPalette>

namespace isol8::ui {

using namespace Qt::StringLiterals;

namespace {

constexpr int mostEntries = 500;

/// Readable on the palette's ground.
QColor badColour()
{
    const bool isDark = QGuiApplication::palette().color(QPalette::Base).lightness() < 128;
    return isDark ? QColor(0xff7b72) : QColor(0xb3261e);
}

} // namespace

HistoryModel::HistoryModel(const HistoryStore& store, QObject* parent)
    : QAbstractTableModel(parent)
    , m_store(store)
    , m_entries(store.find({}, mostEntries))
{
}

void HistoryModel::search(const QString& text)
{
    m_search = text;
    reload();
}

void HistoryModel::reload()
{
    beginResetModel();
    m_entries = m_store.find(m_search, mostEntries);
    endResetModel();
}

int HistoryModel::rowCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : int(m_entries.size());
}

int HistoryModel::columnCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : ColumnCount;
}

QVariant HistoryModel::data(const QModelIndex& index, int role) const
{
    if (!index.isValid())
        return {};
    const auto& entry = m_entries[index.row()];
    if (role == Qt::ForegroundRole && index.column() == Ending && !entry.isGood)
        return badColour();
    if (role == Qt::ToolTipRole)
        return entry.sourcePath.isEmpty() ? entry.ending : entry.sourcePath + u'\n' + entry.ending;
    if (role != Qt::DisplayRole)
        return {};
    switch (index.column()) {
    case When:
        return QLocale().toString(entry.startedAt.toLocalTime(), QLocale::ShortFormat);
    case Title:
        return entry.title;
    case Ending:
        return (entry.isGood ? u"✓ "_s : u"✗ "_s) + entry.ending.section(u"  ·  "_s, 0, 0);
    case Took:
        return timeText(entry.duration);
    case Where:
        return entry.targetName;
    default:
        return {};
    }
}

QVariant HistoryModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal || role != Qt::DisplayRole)
        return {};
    switch (section) {
    case When:
        return tr("When");
    case Title:
        return tr("Program");
    case Ending:
        return tr("How it ended");
    case Took:
        return tr("Took");
    case Where:
        return tr("Where");
    default:
        return {};
    }
}

} // namespace isol8::ui
