// SPDX-License-Identifier: MIT
#pragma once

#include "ui/editor/editing.h"
#include "ui/editor/editorcolours.h"
#include "ui/editor/folding.h"

#include <KSyntaxHighlighting/Definition>

#include <QPlainTextEdit>

#include <functional>

namespace isol8::ui {

class Highlighter;
class LineGutter;

/// How editors look and behave; of the settings, the same for all.
struct EditorStyle {
    QFont font;
    editing::IndentStyle indent;
    bool isWrapping = false;
    bool areSpacesShown = false;
    bool areGuidesShown = true;
    KSyntaxHighlighting::Theme theme;
};

/// A text with everything that code needs: colours, line numbers, folding, brackets, indentation.
/// Files are its page's business.
class CodeEditor : public QPlainTextEdit {
    Q_OBJECT

public:
    explicit CodeEditor(QWidget* parent = nullptr);
    ~CodeEditor() override;

    void setStyle(const EditorStyle& style);
    void setDefinition(const KSyntaxHighlighting::Definition& definition);
    [[nodiscard]] const KSyntaxHighlighting::Definition& definition() const { return m_definition; }
    /// Replaces the text, its history and what was detected in it.
    void setContent(const QString& text);
    /// False while a large text is still being loaded. It can be read, searched and edited all the
    /// same; the first edit completes it.
    [[nodiscard]] bool isWhole() const;

    /// With those of the text that is still being loaded.
    [[nodiscard]] int numberedLines() const;
    [[nodiscard]] const EditorColours& colours() const { return m_colours; }
    [[nodiscard]] folding::Style foldStyle() const;
    [[nodiscard]] const Highlighter& highlighter() const { return *m_highlighter; }

    void goToLine(int line, int column = 1); ///< From 1.
    void toggleComment();
    void toggleFold(const QTextBlock& block);
    void foldAll();
    void unfoldAll();
    void zoom(int steps); ///< 0: back to the settings' size.
    void duplicateLine();
    void moveLines(int direction); ///< 1: down, -1: up.
    /// Marks every place of the expression that is in sight, and frames the one that is selected;
    /// an empty one marks none.
    void setSearchExpression(const QRegularExpression& expression);

    [[nodiscard]] QTextBlock blockAt(int y) const;
    void forEachVisibleBlock(
        const std::function<void(const QTextBlock&, const QRectF&)>& visit) const;

public Q_SLOTS:
    void cut(); ///< Instead of QPlainTextEdit's: of a whole text.

protected:
    void insertFromMimeData(const QMimeData* source) override;
    void inputMethodEvent(QInputMethodEvent* event) override;
    void contextMenuEvent(QContextMenuEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void paintEvent(QPaintEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;
    void dragEnterEvent(QDragEnterEvent* event) override;

private:
    void placeGutter();
    void markCurrent();
    void applyFont();
    void paintGuides(QPainter& painter, const QTextBlock& block, const QRectF& area) const;
    void paintMatchFrame(QPainter& painter, const QTextBlock& block, const QRectF& area) const;
    void paintFoldMark(QPainter& painter, const QTextBlock& block, const QRectF& area) const;
    [[nodiscard]] bool handleEditingKey(QKeyEvent* event);

    EditorStyle m_style;
    EditorColours m_colours;
    editing::IndentStyle m_indent;
    KSyntaxHighlighting::Definition m_definition;
    Highlighter* m_highlighter;
    LineGutter* m_gutter;
    QRegularExpression m_search;
    bool m_isMatchSelected = false;
    int m_zoom = 0;
    int m_comingLines = 0;
};

} // namespace isol8::ui
