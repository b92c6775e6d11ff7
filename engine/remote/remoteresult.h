// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/engine.h"
#include "engine/remote/connection.h"

namespace isol8::remote {

/// A streamed run that has ended, and what is known about it.
struct ResultQuestion {
    QString executionId; ///< Empty: the server does not say.
    QString sessionId;
    QStringList outputPaths;
    ExecutionResult fromEvents;
    bool isOutputWhole = true;
};

/// The whole result: from GET /executions/:id where the server has that, else @p question's own,
/// with the files of a session fetched one by one. Never an Error; a cancel gives what is known.
[[nodiscard]] Task<ExecutionResult> completeResult(
    std::shared_ptr<Connection> connection, ResultQuestion question, CancelToken cancel);

/// GET /file.
[[nodiscard]] Task<QByteArray> fetchSessionFile(
    std::shared_ptr<Connection> connection, QString sessionId, QString path, Transfer transfer);

} // namespace isol8::remote
