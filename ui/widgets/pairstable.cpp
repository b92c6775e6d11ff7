// SPDX-License-Identifier: MIT
#include "ui/widgets/pairstable.h"

#include <QHeaderView>
#include <QKeyEvent>
#include <QLineEdit>
#include <QScopedValueRollback>
#include <QStyledItemDelegate>

namespace isol8::ui {

using namespace Qt::StringLiterals;

namespace {

constexpr int nameColumn = 0;
constexpr int valueColumn = 1;
constexpr int shownRows = 3;

/// Shows and edits values as dots. Screen readers get no more than eyes.
class SecretDelegate : public QStyledItemDelegate {
public:
    using QStyledItemDelegate::QStyledItemDelegate;

    QString displayText(const QVariant& value, const QLocale&) const override
    {
        return value.toString().isEmpty() ? QString() : u"••••••••"_s;
    }

    QWidget* createEditor(
        QWidget* parent, const QStyleOptionViewItem&, const QModelIndex&) const override
    {
        auto* line = new QLineEdit(parent);
        line->setEchoMode(QLineEdit::Password);
        return line;
    }
};

} // namespace

PairsTable::PairsTable(const QString& name, Kind kind, QWidget* parent)
    : QTableWidget(0, 2, parent)
    , m_kind(kind)
{
    setAccessibleName(name);
    setHorizontalHeaderLabels({ tr("Name"), tr("Value") });
    horizontalHeader()->setSectionResizeMode(nameColumn, QHeaderView::ResizeToContents);
    horizontalHeader()->setStretchLastSection(true);
    horizontalHeader()->setHighlightSections(false);
    horizontalHeader()->setMinimumSectionSize(80);
    verticalHeader()->hide();
    verticalHeader()->setDefaultSectionSize(fontMetrics().height() + 8);
    setTabKeyNavigation(false);
    setEditTriggers(AllEditTriggers);
    setFixedHeight((fontMetrics().height() + 8) * (shownRows + 1) + 8);
    if (m_kind == Kind::Secret)
        setItemDelegateForColumn(valueColumn, new SecretDelegate(this));
    connect(this, &QTableWidget::cellChanged, this, &PairsTable::handleChange);
    setPairs({});
}

QMap<QString, QString> PairsTable::pairs() const
{
    QMap<QString, QString> pairs;
    for (int row = 0; row < rowCount(); ++row) {
        const auto name = item(row, nameColumn)->text().trimmed();
        if (!name.isEmpty())
            pairs.insert(name, item(row, valueColumn)->text());
    }
    return pairs;
}

void PairsTable::addRow(const QString& name, const QString& value)
{
    const int row = rowCount();
    insertRow(row);
    setItem(row, nameColumn, new QTableWidgetItem(name));
    setItem(row, valueColumn, new QTableWidgetItem(value));
}

void PairsTable::setPairs(const QMap<QString, QString>& pairs)
{
    const QScopedValueRollback filling(m_isFilling, true);
    setRowCount(0);
    for (const auto& [name, value] : pairs.asKeyValueRange())
        addRow(name, value);
    addRow({}, {});
}

void PairsTable::handleChange()
{
    if (m_isFilling)
        return;
    const QScopedValueRollback filling(m_isFilling, true);
    if (!item(rowCount() - 1, nameColumn)->text().isEmpty())
        addRow({}, {});
    Q_EMIT edited();
}

void PairsTable::keyPressEvent(QKeyEvent* event)
{
    if (event->key() != Qt::Key_Delete || currentRow() < 0 || currentRow() == rowCount() - 1) {
        QTableWidget::keyPressEvent(event);
        return;
    }
    removeRow(currentRow());
    Q_EMIT edited();
}

} // namespace isol8::ui
