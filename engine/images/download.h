// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/task.h"

#include <QByteArray>
#include <QString>
#include <QUrl>

#include <chrono>
#include <functional>

namespace isol8 {

struct DownloadSpec {
    QUrl url;
    QString path; ///< Where it is written; replaced.
    QString integrity; ///< `sha512-` and Base64.
    QByteArray caBundle; ///< PEM, trusted in addition to this machine's own.
    qint64 maxBytes = 512LL << 20;
    int attempts = 3; ///< A connection that fails or is lost is tried again.
    std::chrono::milliseconds pause { 500 }; ///< Between attempts, longer each time.
    std::chrono::milliseconds silence { 30'000 }; ///< Without a byte for this long: lost.
};

/// Current and total bytes; the total is 0 while unknown.
using DownloadProgress = std::function<void(qint64, qint64)>;

/// Fetches a file and checks it. Kind::Denied when its checksum is another one, NotFound for 404
/// and 410, Unreachable when the server does not answer, Limit over maxBytes or without space. On
/// failure nothing is left at the path.
[[nodiscard]] Task<> download(DownloadSpec spec, DownloadProgress progress, CancelToken cancel);

} // namespace isol8
