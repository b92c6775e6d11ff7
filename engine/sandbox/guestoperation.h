// SPDX-License-Identifier: MIT
#pragma once

#include "engine/sandbox/guestlink.h"

namespace isol8 {

/// What a file operation asks for, and what it brought.
struct GuestFileJob {
    guest::Type type = guest::Type::FileStat; ///< Of the first frame.
    QByteArray request {}; ///< Its payload.
    QString what {}; ///< Named in errors: the path.
    QByteArray content {}; ///< Of FilePut.
    qint64 maxBytes = 0; ///< Of FileGet.
    GuestProgress progress {}; ///< Of FilePut and FileGet.
};

struct GuestFileAnswer {
    QByteArray content; ///< Of FileGet.
    QList<FileEntry> entries; ///< Of FileList and FileStat.
};

/// Does @p job, one of a few at a time; again when the end of a run killed it half-way. Silence of
/// 30 s ends the whole conversation.
[[nodiscard]] Task<GuestFileAnswer> doFileJob(
    std::shared_ptr<GuestLink> link, GuestFileJob job, CancelToken cancel);

/// Scrub and Scrubbed. A scrub that is cancelled leaves a sandbox that may not be used again.
[[nodiscard]] Task<> doScrub(std::shared_ptr<GuestLink> link, CancelToken cancel);

} // namespace isol8
