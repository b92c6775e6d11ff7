// SPDX-License-Identifier: MIT
#include "ui/history/comparepage.h"

#include <QGridLayout>
#include <QLabel>
#include <QLocale>
#include <QScrollBar>
#include <QTextBlock>

#include <algorithm>

namespace isol8::ui {

using namespace Qt::StringLiterals;

namespace {

QColor groundOf(DiffRow::Kind kind, bool isDark)
{
    switch (kind) {
    case DiffRow::Kind::Same:
        return {};
    case DiffRow::Kind::Changed:
        return isDark ? QColor(0x4d3a08) : QColor(0xfff3cd);
    case DiffRow::Kind::OnlyLeft:
        return isDark ? QColor(0x5c1f1f) : QColor(0xffdddd);
    case DiffRow::Kind::OnlyRight:
        return isDark ? QColor(0x173f26) : QColor(0xd8f5e0);
    }
    return {};
}

/// In front of a line, with room for the text cursor.
QString signOf(DiffRow::Kind kind)
{
    switch (kind) {
    case DiffRow::Kind::Same:
        return u"   "_s;
    case DiffRow::Kind::Changed:
        return u" ~ "_s;
    case DiffRow::Kind::OnlyLeft:
        return u" − "_s;
    case DiffRow::Kind::OnlyRight:
        return u" + "_s;
    }
    return {};
}

QString headOf(const HistoryEntry& entry)
{
    return u"%1 · %2\n%3"_s.arg(entry.title,
        QLocale().toString(entry.startedAt.toLocalTime(), QLocale::ShortFormat), entry.ending);
}

/// Of the program alone: how it ended is in the head, and its figures differ every time.
QStringList linesOf(const HistoryDetails& run)
{
    auto lines = run.output.split(u'\n');
    while (!lines.isEmpty() && lines.constLast().isEmpty())
        lines.removeLast();
    if (!lines.isEmpty() && lines.constLast() == run.entry.ending)
        lines.removeLast();
    return lines;
}

} // namespace

ComparePage::ComparePage(
    const HistoryDetails& older, const HistoryDetails& newer, const QFont& font, QWidget* parent)
    : QWidget(parent)
{
    setObjectName(u"comparePage"_s);
    setWindowTitle(tr("Comparison"));
    const auto leftLines = linesOf(older);
    const auto rightLines = linesOf(newer);
    const auto rows = diffLines(leftLines, rightLines);
    m_differences = int(std::ranges::count_if(
        rows, [](const DiffRow& row) { return row.kind != DiffRow::Kind::Same; }));
    auto* left = makeSide(tr("Older output"), leftLines, rows, &DiffRow::left, font);
    auto* right = makeSide(tr("Newer output"), rightLines, rows, &DiffRow::right, font);
    for (const auto& [from, to] : { std::pair { left, right }, std::pair { right, left } }) {
        connect(from->verticalScrollBar(), &QScrollBar::valueChanged, to->verticalScrollBar(),
            &QScrollBar::setValue);
        connect(from->horizontalScrollBar(), &QScrollBar::valueChanged, to->horizontalScrollBar(),
            &QScrollBar::setValue);
    }
    const auto makeHead = [this](const QString& text) {
        auto* label = new QLabel(text, this);
        label->setTextFormat(Qt::PlainText);
        label->setMargin(6);
        label->setWordWrap(true); // Else the longest one makes the whole window wider.
        return label;
    };
    auto* summary = makeHead(m_differences == 0 ? tr("The output is the same.")
            : m_differences == 1                ? tr("One line differs.")
                                                : tr("%n lines differ.", nullptr, m_differences));
    summary->setObjectName(u"compareSummary"_s);
    auto* grid = new QGridLayout(this);
    grid->setContentsMargins(0, 0, 0, 0);
    grid->setSpacing(1);
    grid->addWidget(summary, 0, 0, 1, 2);
    grid->addWidget(makeHead(headOf(older.entry)), 1, 0);
    grid->addWidget(makeHead(headOf(newer.entry)), 1, 1);
    grid->addWidget(left, 2, 0);
    grid->addWidget(right, 2, 1);
    grid->setRowStretch(2, 1);
    setFocusProxy(left);
}

QPlainTextEdit* ComparePage::makeSide(const QString& name, const QStringList& lines,
    const QList<DiffRow>& rows, qsizetype DiffRow::* side, const QFont& font)
{
    auto* view = new QPlainTextEdit(this);
    view->setAccessibleName(name);
    view->setReadOnly(true);
    view->setFont(font);
    view->setLineWrapMode(QPlainTextEdit::NoWrap);
    view->setFrameShape(QFrame::NoFrame);
    view->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
    QStringList texts;
    for (const auto& row : rows)
        texts << (row.*side < 0 ? QString() : signOf(row.kind) + lines[row.*side]);
    view->setPlainText(texts.join(u'\n'));

    const bool isDark = palette().color(QPalette::Base).lightness() < 128;
    QTextCursor cursor(view->document());
    cursor.beginEditBlock();
    auto block = view->document()->firstBlock();
    for (const auto& row : rows) {
        if (row.kind != DiffRow::Kind::Same && block.isValid()) {
            cursor.setPosition(block.position());
            QTextBlockFormat format;
            format.setBackground(row.*side < 0 ? palette().color(QPalette::AlternateBase)
                                               : groundOf(row.kind, isDark));
            cursor.setBlockFormat(format);
        }
        block = block.next();
    }
    cursor.endEditBlock();
    return view;
}

} // namespace isol8::ui
