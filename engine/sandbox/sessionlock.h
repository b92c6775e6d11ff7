// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/task.h"

#include <QLockFile>

#include <memory>

namespace isol8 {

/// The right to talk to a session's guest: one host at a time, across processes, since a guest
/// drops its host when another says Hello. Held as long as the object lives; the lock of a dead
/// process counts as free.
class SessionLock {
public:
    /// Waits until the lock is free.
    [[nodiscard]] static Task<std::shared_ptr<SessionLock>> acquire(
        QString stateDirectory, QString sessionId, CancelToken cancel);

    [[nodiscard]] static bool isHeld(const QString& stateDirectory, const QString& sessionId);

private:
    explicit SessionLock(const QString& path);
    QLockFile m_file;
};

} // namespace isol8
