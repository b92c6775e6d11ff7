// SPDX-License-Identifier: MIT
#include "ui/editor/matchcounter.h"

#include "ui/editor/codeeditor.h"

#include <QElapsedTimer>

#include <algorithm>
#include <chrono>

namespace isol8::ui {

namespace {

using namespace std::chrono_literals;

constexpr auto longestWork = 4ms;
constexpr auto pauseAfterEdit = 200ms; ///< Somebody who types is left alone.

} // namespace

MatchCounter::MatchCounter(CodeEditor* editor, QObject* parent)
    : QObject(parent)
    , m_editor(editor)
{
    m_timer.setSingleShot(true);
    connect(&m_timer, &QTimer::timeout, this, &MatchCounter::work);
    connect(editor->document(), &QTextDocument::contentsChanged, this, [this] {
        if (m_expression.pattern().isEmpty())
            return;
        restart();
        m_timer.start(pauseAfterEdit);
    });
}

void MatchCounter::count(const QRegularExpression& expression)
{
    m_expression = expression;
    restart();
    if (expression.pattern().isEmpty() || !expression.isValid())
        finish(/*isCut=*/false);
    else
        m_timer.start(0ms);
}

void MatchCounter::restart()
{
    m_timer.stop();
    m_block = {};
    m_positions.clear();
    m_isFinished = false;
    m_isCut = false;
}

qsizetype MatchCounter::numberAt(int position) const
{
    const auto found = std::ranges::lower_bound(m_positions, position);
    return found != m_positions.cend() && *found == position ? found - m_positions.cbegin() + 1 : 0;
}

void MatchCounter::work()
{
    if (!m_editor->isWhole()) { // Its last part is an edit like any other.
        Q_EMIT changed();
        return;
    }
    QElapsedTimer spent;
    spent.start();
    if (!m_block.isValid()) {
        m_block = m_editor->document()->firstBlock();
        m_line = m_block.text();
        m_offset = 0;
    }
    while (spent.durationElapsed() < longestWork) {
        if (takeMatch()) {
            if (m_positions.size() <= maxMatches)
                continue;
            m_positions.removeLast();
            return finish(/*isCut=*/true);
        }
        m_block = m_block.next();
        if (!m_block.isValid())
            return finish(/*isCut=*/false);
        m_line = m_block.text();
        m_offset = 0;
    }
    m_timer.start(0ms);
    Q_EMIT changed();
}

/// The next one of the line; false when there is none.
bool MatchCounter::takeMatch()
{
    while (m_offset <= m_line.size()) {
        const auto match = m_expression.match(m_line, m_offset);
        if (!match.hasMatch())
            return false;
        m_offset = std::max(match.capturedEnd(), match.capturedStart() + 1);
        if (match.capturedLength() > 0) { // Nothing can be shown of an empty one.
            m_positions << m_block.position() + int(match.capturedStart());
            return true;
        }
    }
    return false;
}

void MatchCounter::finish(bool isCut)
{
    m_block = {};
    m_line.clear();
    m_isCut = isCut;
    m_isFinished = true;
    Q_EMIT changed();
}

} // namespace isol8::ui
