// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/error.h"

#include <QDateTime>
#include <QStringList>

namespace isol8 {

/// Code that was fetched, kept for some time in a directory of isol8's own: contents under their
/// SHA-256, and for each URL a note which content it gave. Any number of processes may use the
/// same. Blocking: for another thread than the event loop's. What is damaged or missing counts as
/// never fetched.
class CodeCache {
public:
    struct Limits {
        std::chrono::seconds lifetime { 3600 };
        qint64 maxBytes = 256LL << 20; ///< Of all contents.
        int maxFiles = 4096;
    };

    CodeCache(const QString& directory, Limits limits);

    struct Entry {
        QStringList urls; ///< What was asked for, one redirect after the other.
        QByteArray code;
    };

    /// What the first of Entry::urls gave, if that is young enough.
    [[nodiscard]] std::optional<Entry> find(const QString& url, const QDateTime& now) const;
    [[nodiscard]] Result<> store(const Entry& entry, const QDateTime& now) const;

private:
    [[nodiscard]] QString notePath(const QString& url) const;
    [[nodiscard]] QString contentPath(const QString& digest) const;
    void removeSurplus(const QStringList& newest, const QDateTime& now) const;

    QString m_directory;
    Limits m_limits;
};

} // namespace isol8
