// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/error.h"

#include <QByteArray>
#include <QString>

namespace isol8::ui {

/// A text and how its bytes are written.
struct FileText {
    enum class LineEnding { Unix, Windows };
    QString text; ///< Lines end with \n.
    LineEnding lineEnding = LineEnding::Unix;
    bool hasByteOrderMark = false;
    bool isLossy = false; ///< The bytes were not UTF-8: saving would change them.
};

constexpr qint64 maxEditedBytes = 64LL << 20;

/// Kind::Invalid for what is no text (it holds NUL bytes).
[[nodiscard]] Result<FileText> decodeText(const QByteArray& bytes);
[[nodiscard]] QByteArray encodeText(const FileText& text);

/// Errors name the path: NotFound, Denied, Limit (over maxEditedBytes), Invalid (no text, no file).
[[nodiscard]] Result<FileText> readTextFile(const QString& path);
/// Whole or not at all. Keeps the permissions of a file that is there, and follows a link to it.
[[nodiscard]] Result<> writeTextFile(const QString& path, const FileText& text);

} // namespace isol8::ui
