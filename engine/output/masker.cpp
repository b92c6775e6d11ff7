// SPDX-License-Identifier: MIT
#include "engine/output/masker.h"

#include "engine/output/maskautomaton.h"

#include <algorithm>

namespace isol8 {

namespace {

constexpr QByteArrayView mask = "***";

} // namespace

Masker::Masker(SecretSet secrets)
    : m_secrets(std::move(secrets))
{
}

QByteArray Masker::feed(const QByteArray& bytes)
{
    if (m_secrets.isEmpty())
        return bytes;
    const MaskAutomaton& automaton = *m_secrets.m_automaton;
    qint64 at = m_waiting.size();
    m_waiting += bytes;
    const QByteArrayView text = m_waiting;
    for (; at < text.size(); ++at) {
        m_state = automaton.next(m_state, quint8(text[at]));
        if (const qint32 length = automaton.matchLength(m_state); length > 0)
            addMatch(at + 1 - length, at + 1);
    }
    // A later match cannot begin before the longest beginning of a secret that ends here.
    return take(text.size() - automaton.openLength(m_state));
}

QByteArray Masker::flush()
{
    m_state = MaskAutomaton::root;
    return take(m_waiting.size());
}

void Masker::addMatch(qint64 start, qint64 end)
{
    Span span { start, end };
    while (!m_spans.isEmpty() && m_spans.last().end > span.start) {
        const Span last = m_spans.takeLast();
        span.start = std::min(span.start, last.start);
        span.isShown = span.isShown || last.isShown;
    }
    m_spans.append(span);
}

/// Takes the first @p size bytes out of m_waiting, masked. A span that goes on behind them is shown
/// now and its rest kept, so that a match that overlaps the rest still joins it.
QByteArray Masker::take(qint64 size)
{
    if (size == 0)
        return {};
    QByteArray shown;
    shown.reserve(size);
    const QByteArrayView text = m_waiting;
    qint64 at = 0;
    qsizetype done = 0;
    for (Span& span : m_spans) {
        if (span.start >= size)
            break;
        shown += text.sliced(at, std::max(at, span.start) - at);
        if (!span.isShown)
            shown += mask;
        span.isShown = true;
        at = std::min(span.end, size);
        if (span.end <= size)
            ++done;
    }
    shown += text.sliced(at, size - at);
    m_spans.remove(0, done);
    for (Span& span : m_spans) {
        span.start = std::max<qint64>(0, span.start - size);
        span.end -= size;
    }
    m_waiting.remove(0, size);
    return shown;
}

} // namespace isol8
