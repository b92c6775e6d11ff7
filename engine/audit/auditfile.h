// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/error.h"

#include <QByteArrayList>
#include <QDateTime>
#include <QString>

namespace isol8 {

/// The files of an audit log: `executions.log`, which grows, and `executions-DATE.log`, put aside
/// when a new day (UTC) begins or the first grows too large. Any number of processes may write to
/// the same. Blocking: for a thread of its own.
class AuditFile {
public:
    struct Rules {
        qint64 maxFileBytes = 64LL << 20;
        int retentionDays = 90; ///< Of files put aside.
        /// The directory may be a link. Not where its place was not chosen by the operator: it
        /// could come with a checkout. The file itself is never opened through a link.
        bool isLinkFollowed = true;
    };

    /// The directory is made (mode 0700) when it is missing.
    AuditFile(const QString& directory, Rules rules);

    [[nodiscard]] QString path() const;

    /// Appends whole lines, each with its line end, in one write a line. The number of lines in the
    /// file afterwards; an error says why even the first could not be written. A line is in the
    /// file whole or not at all; what a crash left of one is closed off by a line end.
    [[nodiscard]] Result<qsizetype> append(const QByteArrayList& lines, const QDateTime& now);

    /// Whether append() has a file to write to; makes it.
    [[nodiscard]] Result<> check() const;

private:
    class LockedFile;
    [[nodiscard]] Result<LockedFile> openLocked() const;
    [[nodiscard]] Result<> putAside(const QDate& date) const;
    void removeOldFiles(const QDateTime& now);

    QString m_directory;
    Rules m_rules;
    QDate m_lastCleaning;
};

} // namespace isol8
