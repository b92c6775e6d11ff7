// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/task.h"

#include <QByteArray>
#include <QProcessEnvironment>
#include <QString>
#include <QStringList>

#include <chrono>
#include <functional>

namespace isol8 {

struct HostCommand {
    QString program; ///< A name in PATH, or a path.
    QStringList arguments;
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    QString workingDirectory; ///< Empty: the caller's.
    std::chrono::milliseconds timeout { 0 }; ///< 0: none.
    /// How it is asked to end at a cancel or time-out; it is killed when it does not within 10 s.
    int stopSignal = 9;
    /// Stop it together with everything it has started, and keep the terminal's signals from it.
    bool hasOwnGroup = false;
};

struct HostResult {
    int exitCode = 0; ///< 128 + n for signal n.
    QByteArray output; ///< At most the first MiB.
    QByteArray errorTail; ///< The last 64 KiB.
};

/// A line that the program wrote to standard error, or to standard output where that is asked for.
using LineHandler = std::function<void(const QString&)>;

/// Runs a program of this machine with an empty standard input. It is killed when isol8 dies.
/// Kind::NotFound when there is none of that name. Any exit code is a success here.
[[nodiscard]] Task<HostResult> runOnHost(HostCommand command, LineHandler line, CancelToken cancel);

} // namespace isol8
