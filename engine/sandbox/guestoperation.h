// SPDX-License-Identifier: MIT
#pragma once

#include "engine/sandbox/guestlink.h"

namespace isol8 {

/// What a file operation asks for, and what it brought.
struct GuestFileJob {
    guest::Type type = guest::Type::FileStat; ///< Of the first frame.
    QByteArray request {}; ///< Its payload.
    QString what {}; ///< Named in errors: the path.
    QByteArray content {}; ///< Of FilePut; of Prestart the encoded RunSpec.
    qint64 maxBytes = 0; ///< Of FileGet.
    std::chrono::milliseconds limit {}; ///< Of silence; zero: GuestLimits::inactivity.
    GuestProgress progress {}; ///< Of FilePut and FileGet.
};

/// The Error for what the guest answered: its errno, and its own text where it gave one.
[[nodiscard]] Error guestFailure(const QString& what, quint32 number, const QString& text = {});

struct GuestFileAnswer {
    QByteArray content; ///< Of FileGet.
    QList<FileEntry> entries; ///< Of FileList and FileStat.
    qint64 usedBytes = 0; ///< Of Prestart: the sandbox's memory.
};

/// Does @p job, one of a few at a time; again when the end of a run killed it half-way. Silence of
/// 30 s ends the whole conversation.
[[nodiscard]] Task<GuestFileAnswer> doFileJob(
    std::shared_ptr<GuestLink> link, GuestFileJob job, CancelToken cancel);

/// Scrub and Scrubbed. A scrub that is cancelled leaves a sandbox that may not be used again.
[[nodiscard]] Task<> doScrub(std::shared_ptr<GuestLink> link, CancelToken cancel);

/// Ping and Pong. A guest that does not answer within @p limit is given up.
[[nodiscard]] Task<> doPing(
    std::shared_ptr<GuestLink> link, std::chrono::milliseconds limit, CancelToken cancel);

/// Prestart and Prestarted: @p spec, encoded, for the file @p path. The bytes of memory that the
/// sandbox uses then.
[[nodiscard]] Task<qint64> doPrestart(
    std::shared_ptr<GuestLink> link, QByteArray spec, QByteArray path, CancelToken cancel);

} // namespace isol8
