// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/error.h"

#include <QByteArray>
#include <QList>

class QIODevice;

namespace isol8 {

/// One member of an archive. Owner and group are 0:0 unless set.
struct TarEntry {
    enum class Type { File, Directory, Link };
    QString path {}; ///< Relative, with `/`, without `.` and `..`.
    Type type = Type::File;
    int mode = 0644; ///< Permission bits.
    QByteArray content {}; ///< Of a file, unless sourcePath is set.
    QString sourcePath {}; ///< A regular file of this machine to read the content from.
    QString linkTarget {}; ///< Of a symbolic link.
    int uid = 0;
    int gid = 0;
};

/// Writes @p entries as a POSIX tar archive (ustar, with pax headers for long names) to @p device,
/// which is open for writing. Same entries, same bytes: times are 0. Errors: Invalid for a bad
/// path, those of reading a source, Limit when the device takes no more.
[[nodiscard]] Result<> writeTar(QIODevice& device, const QList<TarEntry>& entries);

/// The archive in memory, for small ones.
[[nodiscard]] Result<QByteArray> tarOf(const QList<TarEntry>& entries);

} // namespace isol8
