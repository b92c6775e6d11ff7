// SPDX-License-Identifier: MIT
#include "ui/editor/findbar.h"

#include "ui/editor/codeeditor.h"
#include "ui/editor/contentloader.h"
#include "ui/editor/matchcounter.h"

#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QLineEdit>
#include <QLocale>
#include <QPushButton>
#include <QToolButton>
#include <QVBoxLayout>

namespace isol8::ui {

using namespace Qt::StringLiterals;

namespace {

constexpr int maxReplacements = 100'000;

QToolButton* makeSwitch(const QString& text, const QString& meaning, QWidget* parent)
{
    auto* button = new QToolButton(parent);
    button->setText(text);
    button->setToolTip(meaning);
    button->setAccessibleName(meaning);
    button->setCheckable(true);
    button->setAutoRaise(true);
    return button;
}

} // namespace

FindBar::FindBar(CodeEditor* editor, QWidget* parent)
    : QWidget(parent)
    , m_editor(editor)
    , m_counter(new MatchCounter(editor, this))
    , m_pattern(new QLineEdit(this))
    , m_replacement(new QLineEdit(this))
    , m_isRegularExpression(makeSwitch(u".*"_s, tr("Regular expression"), this))
    , m_isCaseSensitive(makeSwitch(u"Aa"_s, tr("Match case"), this))
    , m_isWholeWord(makeSwitch(u"W"_s, tr("Whole words"), this))
    , m_replaceRow(new QWidget(this))
    , m_message(new QLabel(this))
{
    setObjectName(u"findBar"_s);
    m_pattern->setObjectName(u"findPattern"_s);
    m_pattern->setPlaceholderText(tr("Find"));
    m_pattern->setAccessibleName(tr("Find"));
    m_pattern->setClearButtonEnabled(true);
    m_replacement->setObjectName(u"findReplacement"_s);
    m_replacement->setPlaceholderText(tr("Replace with"));
    m_replacement->setAccessibleName(tr("Replace with"));
    m_isRegularExpression->setObjectName(u"findRegularExpression"_s);
    m_isCaseSensitive->setObjectName(u"findCase"_s);
    m_isWholeWord->setObjectName(u"findWord"_s);
    m_message->setObjectName(u"findMessage"_s);
    m_message->setTextFormat(Qt::PlainText);
    m_message->setMinimumWidth(fontMetrics().horizontalAdvance(u"000 of 000"_s));

    auto* previous = new QToolButton(this);
    previous->setArrowType(Qt::UpArrow);
    previous->setToolTip(tr("Previous (Shift+F3)"));
    previous->setAccessibleName(tr("Find previous"));
    previous->setAutoRaise(true);
    auto* next = new QToolButton(this);
    next->setArrowType(Qt::DownArrow);
    next->setToolTip(tr("Next (F3)"));
    next->setAccessibleName(tr("Find next"));
    next->setAutoRaise(true);
    auto* close = new QToolButton(this);
    close->setText(u"×"_s);
    close->setToolTip(tr("Close (Esc)"));
    close->setAccessibleName(tr("Close the find bar"));
    close->setAutoRaise(true);

    auto* findRow = new QHBoxLayout;
    findRow->addWidget(m_pattern, 1);
    for (auto* button : { m_isCaseSensitive, m_isWholeWord, m_isRegularExpression, previous, next })
        findRow->addWidget(button);
    findRow->addWidget(m_message);
    findRow->addWidget(close);
    auto* replaceRow = new QHBoxLayout(m_replaceRow);
    replaceRow->setContentsMargins(0, 0, 0, 0);
    auto* replace = new QPushButton(tr("&Replace"), m_replaceRow);
    replace->setObjectName(u"replaceButton"_s);
    auto* all = new QPushButton(tr("Replace &all"), m_replaceRow);
    all->setObjectName(u"replaceAllButton"_s);
    replaceRow->addWidget(m_replacement, 1);
    replaceRow->addWidget(replace);
    replaceRow->addWidget(all);
    auto* rows = new QVBoxLayout(this);
    rows->setContentsMargins(8, 4, 8, 4);
    rows->setSpacing(4);
    rows->addLayout(findRow);
    rows->addWidget(m_replaceRow);

    connect(m_pattern, &QLineEdit::textChanged, this, &FindBar::updateSearch);
    for (auto* button : { m_isCaseSensitive, m_isWholeWord, m_isRegularExpression })
        connect(button, &QToolButton::toggled, this, &FindBar::updateSearch);
    connect(next, &QToolButton::clicked, this, &FindBar::findNext);
    connect(previous, &QToolButton::clicked, this, &FindBar::findPrevious);
    connect(close, &QToolButton::clicked, this, &QWidget::hide);
    connect(replace, &QPushButton::clicked, this, &FindBar::replaceOne);
    connect(all, &QPushButton::clicked, this, &FindBar::replaceAll);
    connect(m_counter, &MatchCounter::changed, this, &FindBar::showCount);
    connect(m_editor, &QPlainTextEdit::selectionChanged, this, &FindBar::showCount);
    hide();
}

void FindBar::open(Mode mode)
{
    m_replaceRow->setVisible(mode == Mode::Replace);
    const auto selected = m_editor->textCursor().selectedText();
    if (!selected.isEmpty() && !selected.contains(QChar::ParagraphSeparator))
        m_pattern->setText(
            m_isRegularExpression->isChecked() ? QRegularExpression::escape(selected) : selected);
    show();
    m_pattern->setFocus();
    m_pattern->selectAll();
    updateSearch();
}

QRegularExpression FindBar::expression() const
{
    auto pattern = m_pattern->text();
    if (pattern.isEmpty())
        return {};
    if (!m_isRegularExpression->isChecked())
        pattern = QRegularExpression::escape(pattern);
    if (m_isWholeWord->isChecked())
        pattern = u"\\b(?:%1)\\b"_s.arg(pattern);
    auto options = QRegularExpression::UseUnicodePropertiesOption;
    return QRegularExpression(pattern,
        m_isCaseSensitive->isChecked() ? QRegularExpression::PatternOptions(options)
                                       : options | QRegularExpression::CaseInsensitiveOption);
}

void FindBar::updateSearch()
{
    const auto wanted = expression();
    if (!wanted.isValid()) {
        say(wanted.errorString());
        m_editor->setSearchExpression({});
        m_counter->count({});
        return;
    }
    say({});
    m_editor->setSearchExpression(wanted);
    m_counter->count(wanted);
}

void FindBar::findNext()
{
    find(Direction::Forward);
}

void FindBar::findPrevious()
{
    find(Direction::Backward);
}

bool FindBar::find(Direction direction)
{
    const auto wanted = expression();
    if (m_pattern->text().isEmpty() || !wanted.isValid())
        return false;
    ContentLoader::finish(m_editor);
    const bool isBackward = direction == Direction::Backward;
    const auto flags = isBackward ? QTextDocument::FindBackward : QTextDocument::FindFlags();
    auto* document = m_editor->document();
    auto found = document->find(wanted, m_editor->textCursor(), flags);
    QString turn;
    if (found.isNull()) {
        QTextCursor start(document);
        if (isBackward)
            start.movePosition(QTextCursor::End);
        found = document->find(wanted, start, flags);
        if (found.isNull()) {
            say(tr("No results"));
            return false;
        }
        turn = isBackward ? tr("from the end") : tr("from the beginning");
    }
    folding::reveal(found.block(), m_editor->foldStyle());
    m_editor->setTextCursor(found);
    m_turn = turn;
    say({});
    return true;
}

QString FindBar::replacementFor(const QRegularExpressionMatch& match) const
{
    const auto text = m_replacement->text();
    if (!m_isRegularExpression->isChecked())
        return text;
    QString result;
    for (qsizetype i = 0; i < text.size(); ++i) {
        if (text[i] != u'\\' || i + 1 == text.size()) {
            result += text[i];
            continue;
        }
        const auto next = text[++i];
        if (next.isDigit())
            result += match.captured(next.digitValue());
        else if (next == u'n')
            result += u'\n';
        else if (next == u't')
            result += u'\t';
        else
            result += next;
    }
    return result;
}

void FindBar::replaceOne()
{
    ContentLoader::finish(m_editor);
    auto cursor = m_editor->textCursor();
    const auto match = expression().match(cursor.selectedText());
    const bool isOnMatch
        = match.hasMatch() && match.capturedLength() == cursor.selectedText().size();
    if (isOnMatch && cursor.hasSelection()) {
        cursor.insertText(replacementFor(match));
        m_editor->setTextCursor(cursor);
    }
    find(Direction::Forward);
}

void FindBar::replaceAll()
{
    const auto wanted = expression();
    if (m_pattern->text().isEmpty() || !wanted.isValid())
        return;
    ContentLoader::finish(m_editor);
    int count = 0;
    QTextCursor edit(m_editor->document());
    edit.beginEditBlock();
    // Line by line, and within each from its end, so that places stay what they are.
    for (auto block = m_editor->document()->lastBlock(); block.isValid() && count < maxReplacements;
        block = block.previous()) {
        QList<QRegularExpressionMatch> matches;
        for (const auto& match : wanted.globalMatch(block.text()))
            matches.prepend(match);
        for (const auto& match : matches) {
            edit.setPosition(block.position() + int(match.capturedStart()));
            edit.setPosition(block.position() + int(match.capturedEnd()), QTextCursor::KeepAnchor);
            edit.insertText(replacementFor(match));
            ++count;
        }
    }
    edit.endEditBlock();
    say(tr("%1 replaced").arg(QLocale().toString(count)));
}

void FindBar::say(const QString& text)
{
    m_said = text;
    showCount();
}

void FindBar::showCount()
{
    const auto found = m_counter->matches();
    const auto number = m_counter->numberAt(m_editor->textCursor().selectionStart());
    const bool isOnMatch = number > 0 && m_editor->textCursor().hasSelection();
    const auto all = QLocale().toString(found) + (m_counter->isCut() ? u"+"_s : QString());
    auto text = m_said;
    if (text.isEmpty() && !m_pattern->text().isEmpty()) {
        if (!m_counter->isFinished())
            text = tr("Counting…");
        else if (found == 0)
            text = tr("No results");
        else if (isOnMatch)
            text = tr("%1 of %2").arg(QLocale().toString(number), all);
        else
            text = found == 1 ? tr("1 result") : tr("%1 results").arg(all);
        if (isOnMatch && !m_turn.isEmpty())
            text += u", "_s + m_turn;
    }
    m_message->setText(text);
}

void FindBar::keyPressEvent(QKeyEvent* event)
{
    if (event->key() == Qt::Key_Escape) {
        hide();
    } else if (event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter) {
        if (m_replacement->hasFocus())
            replaceOne();
        else if (event->modifiers() & Qt::ShiftModifier)
            findPrevious();
        else
            findNext();
    } else {
        QWidget::keyPressEvent(event);
    }
}

void FindBar::hideEvent(QHideEvent* event)
{
    QWidget::hideEvent(event);
    m_editor->setSearchExpression({});
    m_counter->count({});
    m_editor->setFocus();
}

} // namespace isol8::ui
