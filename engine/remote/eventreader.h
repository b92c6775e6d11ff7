// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/error.h"

#include <QByteArray>
#include <QList>

namespace isol8::remote {

/// The longest event of a server, and what waits here at most while output is paused.
constexpr qint64 maxEventBytes = 8LL << 20;

/// Reads `text/event-stream` (WHATWG HTML, server-sent events) wherever it was cut. Only `data`
/// counts; comments and other fields are passed over.
class EventReader {
public:
    /// The data of the events that are complete now. Kind::Protocol when one is longer than
    /// maxEventBytes; the reader is of no use then.
    [[nodiscard]] Result<QList<QByteArray>> feed(const QByteArray& bytes);

private:
    void takeLine(QList<QByteArray>& events);

    QByteArray m_line;
    QByteArray m_data;
    bool m_hasData = false;
    bool m_isAfterReturn = false; ///< A line feed now belongs to the line before.
};

} // namespace isol8::remote
