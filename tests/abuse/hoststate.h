// SPDX-License-Identifier: MIT
#pragma once

#include "engine/docker/client.h"

#include <QByteArray>
#include <QHash>
#include <QSet>

namespace isol8::tests {

/// What a sandbox could leave on this machine (P2 and P8 of ABUSE.md): containers and volumes of
/// our Docker, and the sandbox user's files and objects that outlive processes.
struct HostState {
    QHash<QString, QString> containers; ///< Id to kind and state.
    QSet<QString> volumes;
    QSet<QByteArray> objects; ///< System V IPC, /dev/shm and /dev/mqueue.

    [[nodiscard]] static HostState now(docker::Client& docker);
    /// What is here and was not in @p before, as a sentence; empty: nothing.
    [[nodiscard]] QByteArray newSince(const HostState& before) const;
};

/// Command lines of processes on this machine that hold @p marker, in any namespace.
[[nodiscard]] QList<QByteArray> processesWith(const QByteArray& marker);

/// Files that nobody has any business with. Reading one is noticed (inotify(7)).
class Canaries {
public:
    explicit Canaries(const QString& folder);
    ~Canaries();
    Q_DISABLE_COPY_MOVE(Canaries)

    [[nodiscard]] QString path() const { return m_path; } ///< Of one of them.
    /// True while each was neither opened nor changed.
    [[nodiscard]] bool areUntouched();

private:
    QString m_path;
    int m_watch = -1;
};

} // namespace isol8::tests
