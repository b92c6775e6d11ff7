// SPDX-License-Identifier: MIT
#include "app/serve/streamevents.h"

#include "app/serve/answer.h"

namespace isol8::serve {

using namespace Qt::StringLiterals;

namespace {

void appendText(
    QList<StreamEvent>& events, StreamEvent::Type type, const QString& text, Phase phase)
{
    if (!text.isEmpty())
        events.append({ type, text, phase });
}

} // namespace

QList<StreamEvent> StreamEvents::flush()
{
    QList<StreamEvent> events;
    appendText(events, StreamEvent::Type::Stdout, m_stdout.finish(), m_phase);
    appendText(events, StreamEvent::Type::Stderr, m_stderr.finish(), m_phase);
    return events;
}

QList<StreamEvent> StreamEvents::output(Channel channel, const QByteArray& bytes, Phase phase)
{
    QList<StreamEvent> events;
    if (phase != m_phase) {
        events = flush();
        m_phase = phase;
    }
    const bool isStdout = channel == Channel::Stdout;
    appendText(events, isStdout ? StreamEvent::Type::Stdout : StreamEvent::Type::Stderr,
        (isStdout ? m_stdout : m_stderr).feed(bytes), phase);
    return events;
}

QList<StreamEvent> StreamEvents::end(
    const Result<ExecutionResult>& result, const QString& cancelReason)
{
    auto events = flush();
    if (!result)
        events.append({ .type = StreamEvent::Type::Error,
            .data = result.error().message,
            .phase = std::nullopt,
            .httpStatus = statusOf(result.error()) });
    else if (result->isTimedOut)
        events.append({ StreamEvent::Type::Error, u"EXECUTION TIMED OUT"_s, std::nullopt });
    else if (result->ending.reason == EndReason::Cancelled && !cancelReason.isEmpty())
        events.append(
            { StreamEvent::Type::Error, u"EXECUTION CANCELLED: "_s + cancelReason, std::nullopt });
    events.append({ StreamEvent::Type::Exit, QString::number(result ? result->exitCode : 1),
        std::nullopt, m_executionId });
    return events;
}

} // namespace isol8::serve
