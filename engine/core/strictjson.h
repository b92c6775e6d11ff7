// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/error.h"

#include <QHash>
#include <QJsonObject>

namespace isol8 {

/// Line and column of a place in a text, both from 1; columns count characters.
struct TextPosition {
    int line = 1;
    int column = 1;

    bool operator==(const TextPosition&) const = default;
};

/// A JSON object and where each of its values stands, by path: `defaults.timeoutMs`,
/// `images[0].tag`.
struct PositionedJson {
    QJsonObject object;
    QHash<QString, TextPosition> positions;
};

/// Reads a text that must be one JSON object (RFC 8259) in UTF-8 without a byte order mark, without
/// duplicate keys, unpaired surrogates or more than 128 levels. Errors are Kind::Invalid and say
/// `line 3, column 7: …`.
[[nodiscard]] Result<PositionedJson> parsePositionedJson(const QByteArray& text);

/// The same without the positions, for bodies of requests and answers.
[[nodiscard]] Result<QJsonObject> parseJsonObject(const QByteArray& text);

} // namespace isol8
