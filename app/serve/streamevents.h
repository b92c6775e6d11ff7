// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/executionjson.h"
#include "engine/output/utf8.h"

namespace isol8::serve {

/// Turns what an execution gives out into the events of `/execute/stream` and `/execute/ws`. A
/// character that was cut by a chunk's end comes with the next chunk.
class StreamEvents {
public:
    explicit StreamEvents(QString executionId = {})
        : m_executionId(std::move(executionId))
    {
    }

    [[nodiscard]] QList<StreamEvent> output(Channel channel, const QByteArray& bytes, Phase phase);

    /// The end: what is left of the output, an `error` for a time limit or for a failure of isol8,
    /// and always an `exit`, which is 1 for such a failure. @p cancelReason: why the server, not
    /// the client, cancelled it; empty: it did not.
    [[nodiscard]] QList<StreamEvent> end(
        const Result<ExecutionResult>& result, const QString& cancelReason = {});

private:
    /// What is left of the phase before.
    [[nodiscard]] QList<StreamEvent> flush();

    QString m_executionId;
    Utf8Decoder m_stdout;
    Utf8Decoder m_stderr;
    Phase m_phase = Phase::Code;
};

} // namespace isol8::serve
