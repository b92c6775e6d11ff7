// SPDX-License-Identifier: MIT
#pragma once

#include <QString>

#include <optional>

namespace isol8 {

/// Names one isol8 process so that another can prove its death: the machine's boot id, the
/// namespace its process ids count in, process id and start time (proc(5): /proc/PID/stat field
/// 22). Written into the label isol8.owner.
struct Owner {
    QString bootId;
    QString pidNamespace; ///< inode of /proc/self/ns/pid
    qint64 pid = 0;
    quint64 startTicks = 0;

    [[nodiscard]] static Owner self();
    [[nodiscard]] static std::optional<Owner> fromString(const QString& text);
    [[nodiscard]] QString toString() const;

    /// True only when it cannot live any more: same boot and namespace, and no such process with
    /// that start time. An owner elsewhere (another machine on the same daemon) is never provably
    /// dead.
    [[nodiscard]] bool isProvablyDead() const;
};

} // namespace isol8
