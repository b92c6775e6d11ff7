// SPDX-License-Identifier: MIT
#include "ui/mainwindow/commandpalette.h"

#include <QAction>
#include <QKeyEvent>
#include <QLineEdit>
#include <QListWidget>
#include <QPainter>
#include <QPointer>
#include <QStyledItemDelegate>
#include <QTimer>
#include <QVBoxLayout>

namespace isol8::ui {

using namespace Qt::StringLiterals;

namespace {

QString titleOf(const QAction* action)
{
    auto text = action->text();
    text.replace(u"&&"_s, u"\1"_s).remove(u'&').replace(u"\1"_s, u"&"_s);
    return text;
}

constexpr int keysRole = Qt::UserRole + 1;
constexpr int iconSide = 16;
constexpr int rowPadding = 12;
constexpr int sideMargin = 8;

/// Rows of one height: the icon or its room, the name, and the keys at the right.
class CommandDelegate : public QStyledItemDelegate {
public:
    using QStyledItemDelegate::QStyledItemDelegate;

    void paint(QPainter* painter, const QStyleOptionViewItem& option,
        const QModelIndex& index) const override
    {
        const auto keys = index.data(keysRole).toString();
        const auto width = option.fontMetrics.horizontalAdvance(keys);
        const auto place = option.rect.adjusted(sideMargin, 0, -sideMargin, 0);
        const bool isCurrent = option.state & QStyle::State_Selected;
        const auto ground = isCurrent ? QPalette::Highlight : QPalette::Base;
        painter->fillRect(option.rect, option.palette.color(QPalette::Active, ground));
        const QRect icon(place.left(), place.center().y() - iconSide / 2, iconSide, iconSide);
        const auto role = isCurrent ? QPalette::HighlightedText : QPalette::Text;
        index.data(Qt::DecorationRole)
            .value<QIcon>()
            .paint(painter, icon, Qt::AlignCenter, isCurrent ? QIcon::Selected : QIcon::Normal);
        painter->setFont(option.font);
        painter->setPen(option.palette.color(QPalette::Active, role));
        const auto text = place.adjusted(iconSide + sideMargin, 0, -width - sideMargin, 0);
        painter->drawText(text, Qt::AlignLeft | Qt::AlignVCenter,
            option.fontMetrics.elidedText(index.data().toString(), Qt::ElideRight, text.width()));
        if (!isCurrent)
            painter->setPen(option.palette.color(QPalette::PlaceholderText));
        painter->drawText(place, Qt::AlignRight | Qt::AlignVCenter, keys);
    }

    [[nodiscard]] QSize sizeHint(
        const QStyleOptionViewItem& option, const QModelIndex&) const override
    {
        return { 0, std::max(option.fontMetrics.height(), iconSide) + rowPadding };
    }
};

} // namespace

bool isSubsequence(const QString& pattern, const QString& text)
{
    qsizetype at = 0;
    for (const auto character : text) {
        if (at < pattern.size() && character.toCaseFolded() == pattern[at].toCaseFolded())
            ++at;
    }
    return at == pattern.size();
}

CommandPalette::CommandPalette(const QList<QAction*>& actions, QWidget* parent)
    : QDialog(parent, Qt::Popup)
    , m_actions(actions)
    , m_filter(new QLineEdit(this))
    , m_list(new QListWidget(this))
{
    setObjectName(u"palette"_s);
    setAttribute(Qt::WA_DeleteOnClose);
    setWindowTitle(tr("Commands"));
    m_filter->setObjectName(u"paletteFilter"_s);
    m_filter->setPlaceholderText(tr("Type a command"));
    m_filter->setAccessibleName(tr("Command"));
    m_filter->installEventFilter(this);
    m_list->setObjectName(u"paletteList"_s);
    m_list->setAccessibleName(tr("Commands"));
    m_list->setFocusPolicy(Qt::NoFocus);
    m_list->setFrameShape(QFrame::NoFrame);
    m_list->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_list->setUniformItemSizes(true);
    m_list->setItemDelegate(new CommandDelegate(m_list));
    auto* rows = new QVBoxLayout(this);
    rows->setContentsMargins(8, 8, 8, 8);
    rows->addWidget(m_filter);
    rows->addWidget(m_list);
    connect(m_filter, &QLineEdit::textChanged, this, &CommandPalette::fill);
    connect(m_filter, &QLineEdit::returnPressed, this, &CommandPalette::choose);
    connect(m_list, &QListWidget::itemClicked, this, &CommandPalette::choose);
    fill();
    resize(520, 340);
    move(parent->mapToGlobal(QPoint((parent->width() - width()) / 2, 60)));
    m_filter->setFocus();
}

void CommandPalette::fill()
{
    m_list->clear();
    for (qsizetype i = 0; i < m_actions.size(); ++i) {
        const auto* action = m_actions[i];
        const auto title = titleOf(action);
        if (!action->isEnabled() || title.isEmpty() || !isSubsequence(m_filter->text(), title))
            continue;
        const auto keys = action->shortcut().toString(QKeySequence::NativeText);
        auto* item = new QListWidgetItem(action->icon(), title, m_list);
        item->setData(Qt::UserRole, int(i));
        item->setData(keysRole, keys);
        item->setData(
            Qt::AccessibleTextRole, keys.isEmpty() ? title : tr("%1, %2").arg(title, keys));
    }
    m_list->setCurrentRow(0);
}

void CommandPalette::choose()
{
    const auto* item = m_list->currentItem();
    const QPointer action = item ? m_actions[item->data(Qt::UserRole).toInt()] : nullptr;
    close();
    // After the palette has gone, so that the command finds the focus where it was.
    if (action)
        QTimer::singleShot(0, action, &QAction::trigger);
}

bool CommandPalette::eventFilter(QObject* watched, QEvent* event)
{
    if (watched == m_filter && event->type() == QEvent::KeyPress) {
        const auto* key = static_cast<QKeyEvent*>(event);
        const int step = key->key() == Qt::Key_Down ? 1 : key->key() == Qt::Key_Up ? -1 : 0;
        if (step != 0 && m_list->count() > 0) {
            m_list->setCurrentRow(
                (m_list->currentRow() + step + m_list->count()) % m_list->count());
            return true;
        }
    }
    return QDialog::eventFilter(watched, event);
}

} // namespace isol8::ui
