// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/error.h"

#include <QByteArray>

#include <optional>

class QIODevice;

namespace isol8 {

/// Reads a tar archive, member by member, from a device that need not be seekable: ustar, pax's
/// `path`, `linkpath` and `size`, GNU's long names. Trusts nothing: paths are given as they are
/// written. Kind::Protocol for whatever is no such archive.
class TarReader {
public:
    struct Member {
        enum class Type { File, Directory, Link, Other };
        QByteArray path; ///< May be absolute, hold `..`, or end with a slash.
        Type type = Type::Other;
        int mode = 0; ///< Permission bits.
        qint64 sizeBytes = 0; ///< Of a file; else 0.
        QByteArray linkTarget; ///< Of a symbolic link.
    };

    explicit TarReader(QIODevice& device);

    /// The next member; none: the archive has ended. What is left of the one before is skipped.
    [[nodiscard]] Result<std::optional<Member>> next();
    /// At most @p maxBytes, and at least one, of the current file; empty at its end.
    [[nodiscard]] Result<QByteArray> read(qint64 maxBytes);

private:
    [[nodiscard]] Result<> readExactly(char* to, qint64 size);
    [[nodiscard]] Result<> skipRest();
    /// The content of a member that describes the next one.
    [[nodiscard]] Result<QByteArray> readNote(qint64 size);

    QIODevice& m_device;
    qint64 m_left = 0; ///< Of the current member's content.
    qint64 m_padding = 0; ///< Behind it.
};

} // namespace isol8
