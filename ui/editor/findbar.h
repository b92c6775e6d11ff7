// SPDX-License-Identifier: MIT
#pragma once

#include <QRegularExpression>
#include <QWidget>

class QLabel;
class QLineEdit;
class QToolButton;

namespace isol8::ui {

class CodeEditor;
class MatchCounter;

/// Find and replace in an editor, below it. Hidden until asked for; Escape hides it. Says which
/// match is selected, of how many.
class FindBar : public QWidget {
    Q_OBJECT

public:
    FindBar(CodeEditor* editor, QWidget* parent);

    enum class Mode { Find, Replace };
    /// Shows it, with the selection as what to find.
    void open(Mode mode);
    void findNext();
    void findPrevious();

protected:
    void keyPressEvent(QKeyEvent* event) override;
    void hideEvent(QHideEvent* event) override;

private:
    enum class Direction { Forward, Backward };

    [[nodiscard]] QRegularExpression expression() const;
    void updateSearch();
    bool find(Direction direction);
    void replaceOne();
    void replaceAll();
    [[nodiscard]] QString replacementFor(const QRegularExpressionMatch& match) const;
    void say(const QString& text);
    void showCount();

    CodeEditor* m_editor;
    MatchCounter* m_counter;
    QLineEdit* m_pattern;
    QLineEdit* m_replacement;
    QToolButton* m_isRegularExpression;
    QToolButton* m_isCaseSensitive;
    QToolButton* m_isWholeWord;
    QWidget* m_replaceRow;
    QLabel* m_message;
    QString m_said; ///< Instead of the number of matches; empty: that is shown.
    QString m_turn; ///< That the search went on at the other end of the text.
};

} // namespace isol8::ui
