// SPDX-License-Identifier: MIT
#pragma once

#include "app/serve/authenticator.h"

#include <QDateTime>

namespace isol8::serve {

/// What is told of a request. Nothing of it can be a secret: neither query nor header nor body.
struct AccessEntry {
    QDateTime time; ///< When its head was in.
    QHostAddress peer; ///< Null for a local socket.
    QByteArray method; ///< Empty when there was no whole request.
    QByteArray route; ///< As the table of routes has it; empty for none.
    QString path; ///< Without its query.
    int status = 0;
    qint64 bodyBytes = 0; ///< Of the answer; for a WebSocket, of what it sent.
    std::chrono::microseconds duration {};
    std::optional<Principal> principal; ///< None: no valid key, or none needed.
    QString executionId; ///< Empty: nothing was executed.
    bool isClientGone = false; ///< Before the answer had ended.
};

/// One line of JSON.
[[nodiscard]] QByteArray accessLine(const AccessEntry& entry);

/// Appends a line a request to a file or standard output, in one piece and without ever waiting:
/// what a full pipe does not take is left out, and how much that was is told as soon as it can be.
class AccessLog {
public:
    AccessLog() = default;
    Q_DISABLE_COPY_MOVE(AccessLog)
    ~AccessLog();

    /// @p destination as `serve.accessLog` has it. Opening the same again follows a file that was
    /// renamed. On an error everything stays as it was.
    [[nodiscard]] Result<> open(const QString& destination);
    [[nodiscard]] bool isOpen() const { return m_descriptor >= 0; }
    void write(const AccessEntry& entry);

private:
    [[nodiscard]] bool append(const QByteArray& line);
    void close();

    int m_descriptor = -1;
    qint64 m_leftOut = 0; ///< Lines.
    bool m_isInLine = false; ///< The last line was written in part.
};

} // namespace isol8::serve
