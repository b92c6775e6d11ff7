// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/error.h"
#include "engine/docker/types.h"

namespace isol8::docker {

/// Reads the JSON lines of a build, a pull or an import from pieces of any size. Pure. Remembers
/// what the callers want at the end: the image's id and the last of the output.
class ProgressReader {
public:
    static constexpr qsizetype maxLineBytes = 1 << 20;
    static constexpr qsizetype maxTailCharacters = 4000;

    explicit ProgressReader(ProgressHandler handler);

    /// Calls the handler for each line that is complete. Docker's own Error for a line that reports
    /// one, Kind::Protocol for a line that is no JSON object or too long.
    [[nodiscard]] Result<> feed(const QByteArray& bytes);
    /// The stream has ended: takes the last line, which need not end.
    [[nodiscard]] Result<> finish();

    /// The id that the last `aux` or the last status line gave (`sha256:…`), or empty.
    [[nodiscard]] QString imageId() const { return m_imageId; }
    /// The end of the output, for the message of a failed build.
    [[nodiscard]] QString tail() const { return m_tail; }

private:
    [[nodiscard]] Result<> takeLine(QByteArrayView line);

    ProgressHandler m_handler;
    QByteArray m_partial;
    QString m_imageId;
    QString m_tail;
};

} // namespace isol8::docker
