// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/error.h"

#include <QByteArray>
#include <QList>
#include <QMap>
#include <QStringList>

namespace isol8 {

/// A file or directory found below a directory of this machine.
struct DirectoryEntry {
    QString path; ///< Relative, with `/`.
    bool isDirectory = false;
    int mode = 0; ///< Permission bits.
    qint64 sizeBytes = 0;
    QString sourcePath; ///< Where its content is, links resolved.

    bool operator==(const DirectoryEntry&) const = default;
};

struct DirectoryBounds {
    int maxEntries = 10'000;
    qint64 maxTotalBytes = 512LL << 20;
    int maxDepth = 64;
};

struct DirectoryListing {
    QList<DirectoryEntry> entries; ///< A directory before what is in it, names in byte order.
    QStringList skipped; ///< What was left out, each with the reason: outside links, devices.
};

/// Everything below @p directory for `--files`, without `.git`, `node_modules`, `__pycache__`,
/// `.venv`, `venv` and `.tox`. A link to a file within the directory counts as that file; other
/// links, sockets, FIFOs and devices are skipped. Errors: NotFound, Denied, Invalid (not a
/// directory, names that are not UTF-8), Limit.
[[nodiscard]] Result<DirectoryListing> readDirectory(
    const QString& directory, const DirectoryBounds& bounds = {});

/// The content of one file. Errors as readSmallFile(); Limit when it has grown since.
[[nodiscard]] Result<QByteArray> readEntry(const DirectoryEntry& entry);

/// Files and their contents, by relative path, as ExecutionRequest::files wants them.
[[nodiscard]] Result<QMap<QString, QByteArray>> readDirectoryFiles(
    const QString& directory, const DirectoryBounds& bounds = {});

} // namespace isol8
