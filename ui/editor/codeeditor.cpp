// SPDX-License-Identifier: MIT
#include "ui/editor/codeeditor.h"

#include "ui/editor/contentloader.h"
#include "ui/editor/highlighter.h"
#include "ui/editor/linegutter.h"

#include <QContextMenuEvent>
#include <QDragEnterEvent>
#include <QInputMethodEvent>
#include <QMimeData>
#include <QPainter>
#include <QRegularExpression>
#include <QScrollBar>

#include <algorithm>
#include <cmath>

namespace isol8::ui {

using namespace Qt::StringLiterals;

namespace {

constexpr int smallestFont = 5;
constexpr int largestFont = 60;
constexpr int maxMatchesMarked = 500;
constexpr int linesColouredAtOnce = 200; ///< While the rest of a file is being loaded.

QString commentMarker(const KSyntaxHighlighting::Definition& definition)
{
    const auto marker = definition.isValid() ? definition.singleLineCommentMarker() : QString();
    return marker.isEmpty() ? u"#"_s : marker;
}

/// Neither edits nor needs to know where the text ends.
bool isWithinText(const QKeyEvent* event)
{
    if (event->matches(QKeySequence::MoveToEndOfDocument)
        || event->matches(QKeySequence::SelectEndOfDocument))
        return false;
    switch (event->key()) {
    case Qt::Key_Left:
    case Qt::Key_Right:
    case Qt::Key_Up:
    case Qt::Key_Down:
    case Qt::Key_Home:
    case Qt::Key_End:
    case Qt::Key_PageUp:
    case Qt::Key_PageDown:
    case Qt::Key_Shift:
    case Qt::Key_Control:
    case Qt::Key_Alt:
    case Qt::Key_AltGr:
    case Qt::Key_Meta:
    case Qt::Key_Escape:
        return true;
    default:
        return event->matches(QKeySequence::Copy);
    }
}

} // namespace

CodeEditor::CodeEditor(QWidget* parent)
    : QPlainTextEdit(parent)
    , m_highlighter(new Highlighter(document(), this))
    , m_gutter(new LineGutter(this))
{
    setObjectName(u"codeEditor"_s);
    setAccessibleName(tr("Code"));
    setLineWrapMode(QPlainTextEdit::NoWrap);
    setFrameShape(QFrame::NoFrame);
    setTabChangesFocus(false);
    connect(this, &QPlainTextEdit::blockCountChanged, this, &CodeEditor::placeGutter);
    connect(this, &QPlainTextEdit::updateRequest, this, [this](const QRect& rect, int dy) {
        if (dy != 0)
            m_gutter->scroll(0, dy);
        else
            m_gutter->update(0, rect.y(), m_gutter->width(), rect.height());
        if (dy != 0 && !m_search.pattern().isEmpty())
            markCurrent();
    });
    connect(this, &QPlainTextEdit::cursorPositionChanged, this, &CodeEditor::markCurrent);
    connect(m_highlighter, &Highlighter::foldingChanged, m_gutter, qOverload<>(&QWidget::update));
}

CodeEditor::~CodeEditor() = default;

void CodeEditor::setStyle(const EditorStyle& style)
{
    m_style = style;
    m_colours = EditorColours::of(style.theme);
    m_indent = editing::detectIndent(toPlainText().left(100'000), style.indent);
    auto colours = palette();
    colours.setColor(QPalette::Base, m_colours.ground);
    colours.setColor(QPalette::Text, m_colours.text);
    colours.setColor(QPalette::Highlight, m_colours.selection);
    colours.setColor(QPalette::HighlightedText, m_colours.text);
    setPalette(colours);
    setLineWrapMode(style.isWrapping ? QPlainTextEdit::WidgetWidth : QPlainTextEdit::NoWrap);
    auto option = document()->defaultTextOption();
    option.setFlags(style.areSpacesShown ? QTextOption::ShowTabsAndSpaces : QTextOption::Flags());
    document()->setDefaultTextOption(option);
    m_highlighter->setTheme(style.theme);
    applyFont();
    markCurrent();
}

void CodeEditor::applyFont()
{
    auto font = m_style.font;
    font.setPointSize(std::clamp(font.pointSize() + m_zoom, smallestFont, largestFont));
    setFont(font);
    setTabStopDistance(fontMetrics().horizontalAdvance(u' ') * m_indent.width);
    placeGutter();
}

void CodeEditor::setDefinition(const KSyntaxHighlighting::Definition& definition)
{
    m_definition = definition;
    m_highlighter->setDefinition(definition);
    m_gutter->update();
}

void CodeEditor::setContent(const QString& text)
{
    if (const auto* loader = ContentLoader::load(this, text)) {
        // A number's wider column would lay out all lines anew, and colours take their time.
        m_comingLines = int(text.count(u'\n')) + 1;
        m_highlighter->setEnd(linesColouredAtOnce);
        placeGutter();
        connect(loader, &ContentLoader::ended, this, [this] {
            m_comingLines = 0;
            m_highlighter->setEnd(std::numeric_limits<int>::max());
            placeGutter();
        });
    }
    m_indent = editing::detectIndent(text.left(100'000), m_style.indent);
    setTabStopDistance(fontMetrics().horizontalAdvance(u' ') * m_indent.width);
    document()->setModified(false);
}

bool CodeEditor::isWhole() const
{
    return !ContentLoader::isLoading(this);
}

int CodeEditor::numberedLines() const
{
    return std::max(blockCount(), m_comingLines);
}

folding::Style CodeEditor::foldStyle() const
{
    return m_definition.isValid() && m_definition.indentationBasedFoldingEnabled()
        ? folding::Style::Indentation
        : folding::Style::Regions;
}

void CodeEditor::goToLine(int line, int column)
{
    if (line > document()->blockCount())
        ContentLoader::finish(this);
    auto block
        = document()->findBlockByNumber(std::clamp(line - 1, 0, document()->blockCount() - 1));
    folding::reveal(block, foldStyle());
    QTextCursor cursor(block);
    cursor.movePosition(QTextCursor::NextCharacter, QTextCursor::MoveAnchor,
        std::clamp(column - 1, 0, block.length() - 1));
    setTextCursor(cursor);
    centerCursor();
}

void CodeEditor::toggleComment()
{
    ContentLoader::finish(this);
    auto cursor = textCursor();
    editing::toggleComment(cursor, commentMarker(m_definition));
}

void CodeEditor::toggleFold(const QTextBlock& block)
{
    folding::toggle(block, foldStyle());
    if (!textCursor().block().isVisible())
        setTextCursor(QTextCursor(block));
    viewport()->update();
    m_gutter->update();
}

void CodeEditor::foldAll()
{
    ContentLoader::finish(this);
    folding::foldAll(*document(), foldStyle());
    if (!textCursor().block().isVisible())
        moveCursor(QTextCursor::Start);
    viewport()->update();
    m_gutter->update();
}

void CodeEditor::unfoldAll()
{
    folding::unfoldAll(*document());
    viewport()->update();
    m_gutter->update();
}

void CodeEditor::zoom(int steps)
{
    m_zoom = steps == 0 ? 0 : m_zoom + steps;
    m_zoom = std::clamp(
        m_zoom, smallestFont - m_style.font.pointSize(), largestFont - m_style.font.pointSize());
    applyFont();
}

void CodeEditor::duplicateLine()
{
    ContentLoader::finish(this);
    auto cursor = textCursor();
    cursor.beginEditBlock();
    if (cursor.hasSelection()) {
        const auto text = cursor.selectedText();
        cursor.setPosition(cursor.selectionEnd());
        cursor.insertText(text);
    } else {
        const auto text = cursor.block().text();
        QTextCursor line(cursor.block());
        line.movePosition(QTextCursor::EndOfBlock);
        line.insertText(u'\n' + text);
    }
    cursor.endEditBlock();
}

void CodeEditor::moveLines(int direction)
{
    ContentLoader::finish(this);
    auto cursor = textCursor();
    auto first = document()->findBlock(cursor.selectionStart());
    auto last = document()->findBlock(cursor.selectionEnd());
    const auto neighbour = direction > 0 ? last.next() : first.previous();
    if (!neighbour.isValid())
        return;
    const auto moved = neighbour.text();
    const int firstNumber = first.blockNumber();
    const int anchor = cursor.anchor() - first.position();
    const int position = cursor.position() - first.position();
    QTextCursor edit(document());
    edit.beginEditBlock();
    if (direction > 0) {
        // The line below goes above the selected ones.
        edit.setPosition(last.position() + last.length() - 1);
        edit.setPosition(neighbour.position() + neighbour.length() - 1, QTextCursor::KeepAnchor);
        edit.removeSelectedText();
        edit.setPosition(first.position());
        edit.insertText(moved + u'\n');
    } else {
        edit.setPosition(last.position() + last.length() - 1);
        edit.insertText(u'\n' + moved);
        edit.setPosition(neighbour.position());
        edit.setPosition(neighbour.position() + neighbour.length(), QTextCursor::KeepAnchor);
        edit.removeSelectedText();
    }
    edit.endEditBlock();
    const int base = document()->findBlockByNumber(firstNumber + direction).position();
    cursor.setPosition(base + anchor);
    cursor.setPosition(base + position, QTextCursor::KeepAnchor);
    setTextCursor(cursor);
    ensureCursorVisible();
}

void CodeEditor::setSearchExpression(const QRegularExpression& expression)
{
    m_search = expression;
    markCurrent();
}

QTextBlock CodeEditor::blockAt(int y) const
{
    QTextBlock found;
    forEachVisibleBlock([&found, y](const QTextBlock& block, const QRectF& area) {
        if (area.top() <= y && y < area.bottom())
            found = block;
    });
    return found;
}

void CodeEditor::forEachVisibleBlock(
    const std::function<void(const QTextBlock&, const QRectF&)>& visit) const
{
    auto block = firstVisibleBlock();
    auto area = blockBoundingGeometry(block).translated(contentOffset());
    while (block.isValid() && area.top() <= viewport()->height()) {
        if (block.isVisible())
            visit(block, area);
        block = block.next();
        area = blockBoundingRect(block).translated(0, area.bottom());
    }
}

void CodeEditor::placeGutter()
{
    const int width = m_gutter->sizeHint().width();
    if (viewportMargins().left() != width)
        setViewportMargins(width, 0, 0, 0);
    const auto area = contentsRect();
    m_gutter->setGeometry(area.left(), area.top(), width, area.height());
}

void CodeEditor::resizeEvent(QResizeEvent* event)
{
    QPlainTextEdit::resizeEvent(event);
    placeGutter();
}

/// The current line, the brackets at the cursor, what was searched.
void CodeEditor::markCurrent()
{
    QList<QTextEdit::ExtraSelection> marks;
    QTextEdit::ExtraSelection line;
    line.format.setBackground(m_colours.currentLine);
    line.format.setProperty(QTextFormat::FullWidthSelection, true);
    line.cursor = textCursor();
    line.cursor.clearSelection();
    marks << line;

    const auto mark = [&](int position, int length, const QColor& colour) {
        QTextEdit::ExtraSelection selection;
        selection.format.setBackground(colour);
        selection.cursor = QTextCursor(document());
        selection.cursor.setPosition(position);
        selection.cursor.setPosition(position + length, QTextCursor::KeepAnchor);
        marks << selection;
    };
    m_isMatchSelected = false;
    if (!m_search.pattern().isEmpty()) {
        const auto own = textCursor();
        forEachVisibleBlock([&](const QTextBlock& block, const QRectF&) {
            auto matches = m_search.globalMatch(block.text().left(10'000));
            while (matches.hasNext() && marks.size() < maxMatchesMarked) {
                const auto match = matches.next();
                const int begin = block.position() + int(match.capturedStart());
                if (match.capturedLength() > 0)
                    mark(begin, int(match.capturedLength()), m_colours.searchMatch);
                if (begin == own.selectionStart()
                    && begin + match.capturedLength() == own.selectionEnd())
                    m_isMatchSelected = own.hasSelection();
            }
        });
    }
    for (const int at : { textCursor().position(), textCursor().position() - 1 }) {
        const int other = editing::matchingBracket(*document(), at);
        if (other < 0)
            continue;
        mark(at, 1, m_colours.bracketMatch);
        mark(other, 1, m_colours.bracketMatch);
        break;
    }
    setExtraSelections(marks);
    m_gutter->update();
}

bool CodeEditor::handleEditingKey(QKeyEvent* event)
{
    auto cursor = textCursor();
    const auto modifiers = event->modifiers() & ~Qt::KeypadModifier;
    switch (event->key()) {
    case Qt::Key_Tab:
        if (modifiers != Qt::NoModifier)
            return false;
        editing::indent(cursor, m_indent);
        break;
    case Qt::Key_Backtab:
        editing::unindent(cursor, m_indent);
        break;
    case Qt::Key_Return:
    case Qt::Key_Enter:
        if (modifiers != Qt::NoModifier && modifiers != Qt::ShiftModifier)
            return false;
        editing::breakLine(cursor, m_indent);
        break;
    case Qt::Key_Backspace:
        if (modifiers != Qt::NoModifier || !editing::eraseIndent(cursor, m_indent))
            return false;
        break;
    case Qt::Key_Home: {
        if (modifiers != Qt::NoModifier && modifiers != Qt::ShiftModifier)
            return false;
        const auto text = cursor.block().text();
        qsizetype first = 0;
        while (first < text.size() && text[first].isSpace())
            ++first;
        const int target = cursor.positionInBlock() == first ? 0 : int(first);
        cursor.setPosition(cursor.block().position() + target,
            modifiers == Qt::ShiftModifier ? QTextCursor::KeepAnchor : QTextCursor::MoveAnchor);
        break;
    }
    default:
        if (event->text().size() != 1 || !u")]}"_s.contains(event->text()[0]))
            return false;
        editing::typeClosing(cursor, event->text()[0]);
    }
    setTextCursor(cursor);
    ensureCursorVisible();
    return true;
}

void CodeEditor::keyPressEvent(QKeyEvent* event)
{
    if (!isWithinText(event))
        ContentLoader::finish(this);
    if (!isReadOnly() && handleEditingKey(event))
        event->accept();
    else
        QPlainTextEdit::keyPressEvent(event);
}

void CodeEditor::cut()
{
    ContentLoader::finish(this);
    QPlainTextEdit::cut();
}

void CodeEditor::insertFromMimeData(const QMimeData* source)
{
    ContentLoader::finish(this);
    QPlainTextEdit::insertFromMimeData(source);
}

void CodeEditor::inputMethodEvent(QInputMethodEvent* event)
{
    ContentLoader::finish(this);
    QPlainTextEdit::inputMethodEvent(event);
}

void CodeEditor::contextMenuEvent(QContextMenuEvent* event)
{
    ContentLoader::finish(this);
    QPlainTextEdit::contextMenuEvent(event);
}

void CodeEditor::wheelEvent(QWheelEvent* event)
{
    if (event->modifiers() & Qt::ControlModifier) {
        if (event->angleDelta().y() != 0)
            zoom(event->angleDelta().y() > 0 ? 1 : -1);
        event->accept();
        return;
    }
    QPlainTextEdit::wheelEvent(event);
}

/// Files that are dropped are for the window to open.
void CodeEditor::dragEnterEvent(QDragEnterEvent* event)
{
    if (event->mimeData()->hasUrls())
        event->ignore();
    else
        QPlainTextEdit::dragEnterEvent(event);
}

void CodeEditor::paintEvent(QPaintEvent* event)
{
    QPlainTextEdit::paintEvent(event);
    QPainter painter(viewport());
    forEachVisibleBlock([&](const QTextBlock& block, const QRectF& area) {
        if (area.bottom() < event->rect().top() || area.top() > event->rect().bottom())
            return;
        if (m_style.areGuidesShown)
            paintGuides(painter, block, area);
        if (folding::isFolded(block))
            paintFoldMark(painter, block, area);
        if (m_isMatchSelected && textCursor().block() == block)
            paintMatchFrame(painter, block, area);
    });
}

/// The selection's colour alone is hard to tell from that of the other matches.
void CodeEditor::paintMatchFrame(
    QPainter& painter, const QTextBlock& block, const QRectF& area) const
{
    const auto cursor = textCursor();
    const int begin = cursor.selectionStart() - block.position();
    const int end = cursor.selectionEnd() - block.position();
    painter.setPen(QPen(m_colours.text, 1.5));
    for (int i = 0; i < block.layout()->lineCount(); ++i) {
        const auto line = block.layout()->lineAt(i);
        const int from = std::max(begin, line.textStart());
        const int to = std::min(end, line.textStart() + line.textLength());
        if (from >= to)
            continue;
        const double left = line.cursorToX(from);
        const double right = line.cursorToX(to);
        const auto frame
            = QRectF(std::min(left, right), line.y(), std::abs(right - left), line.height());
        painter.drawRect(frame.translated(area.topLeft()).adjusted(-0.5, 0.5, 0.5, -0.5));
    }
}

void CodeEditor::paintGuides(QPainter& painter, const QTextBlock& block, const QRectF& area) const
{
    int columns = 0;
    for (const auto character : block.text()) {
        if (character == u'\t')
            columns = (columns / m_indent.width + 1) * m_indent.width;
        else if (character == u' ')
            ++columns;
        else
            break;
    }
    painter.setPen(m_colours.guide);
    const double step = fontMetrics().horizontalAdvance(u' ');
    const double left = contentOffset().x() + document()->documentMargin();
    for (int column = m_indent.width; column < columns; column += m_indent.width) {
        const double x = std::floor(left + column * step) + 0.5;
        painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()));
    }
}

void CodeEditor::paintFoldMark(QPainter& painter, const QTextBlock& block, const QRectF& area) const
{
    const auto width = block.layout()->lineCount() > 0
        ? block.layout()->lineAt(block.layout()->lineCount() - 1).naturalTextWidth()
        : 0.0;
    const QRectF mark(contentOffset().x() + width + fontMetrics().averageCharWidth() * 2,
        area.top() + 2, fontMetrics().horizontalAdvance(u" ⋯ "_s), area.height() - 4);
    painter.setPen(m_colours.lineNumber);
    painter.drawRoundedRect(mark, 3, 3);
    painter.drawText(mark, Qt::AlignCenter, u"⋯"_s);
}

} // namespace isol8::ui
