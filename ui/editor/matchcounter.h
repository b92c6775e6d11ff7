// SPDX-License-Identifier: MIT
#pragma once

#include <QList>
#include <QObject>
#include <QRegularExpression>
#include <QTextBlock>
#include <QTimer>

namespace isol8::ui {

class CodeEditor;

/// Where in a text an expression matches, up to a number. Looks for a few milliseconds at a turn of
/// the event loop, so that a large text holds nobody up, and anew some time after each edit. Owned
/// by the find bar.
class MatchCounter : public QObject {
    Q_OBJECT

public:
    /// Beyond that it is "10,000+".
    static constexpr qsizetype maxMatches = 10'000;

    MatchCounter(CodeEditor* editor, QObject* parent);

    /// Begins to count; an empty expression stops it.
    void count(const QRegularExpression& expression);

    [[nodiscard]] bool isFinished() const { return m_isFinished; }
    [[nodiscard]] qsizetype matches() const { return m_positions.size(); }
    /// There are more than were counted.
    [[nodiscard]] bool isCut() const { return m_isCut; }
    /// Which of them begins there, from 1; 0 when none of the counted ones does.
    [[nodiscard]] qsizetype numberAt(int position) const;

Q_SIGNALS:
    void changed(); ///< It has finished, or has only begun and takes a while.

private:
    void restart();
    void work();
    [[nodiscard]] bool takeMatch();
    void finish(bool isCut);

    CodeEditor* m_editor;
    QRegularExpression m_expression;
    QTimer m_timer;
    QTextBlock m_block; ///< Valid while it counts: edits begin anew before it is used again.
    QString m_line; ///< Its text.
    qsizetype m_offset = 0;
    QList<int> m_positions;
    bool m_isFinished = true;
    bool m_isCut = false;
};

} // namespace isol8::ui
