// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/error.h"
#include "engine/docker/types.h"

namespace isol8::docker {

/// Reads the JSON lines of `GET /events` from pieces of any size. Pure.
class EventReader {
public:
    static constexpr qsizetype maxLineBytes = 1 << 20;

    explicit EventReader(EventHandler handler);

    /// Calls the handler for each event that is complete. Kind::Protocol for a line that is no JSON
    /// object or too long.
    [[nodiscard]] Result<> feed(const QByteArray& bytes);

private:
    [[nodiscard]] Result<> takeLine(const QByteArray& line);

    EventHandler m_handler;
    QByteArray m_partial;
};

} // namespace isol8::docker
