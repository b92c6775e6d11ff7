// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/task.h"
#include "engine/images/imagetypes.h"

#include <QByteArray>
#include <QString>

namespace isol8 {

struct RootfsSpec {
    QString mirror;
    QString directory; ///< For temporary files; readable for everybody where isol8 is not root.
    QString tarPath; ///< What is made.
    QByteArray caBundle; ///< PEM, for a mirror with https; empty: apt's own.
};

/// Makes the root file system of the shared base with mmdebstrap. All that it starts lives in
/// namespaces of its own, so nothing of it runs or stays mounted when isol8 is killed.
/// Kind::NotFound without mmdebstrap, Denied for a bad signature or without the right to do it,
/// Unreachable, Limit without space.
[[nodiscard]] Task<> makeRootfs(RootfsSpec spec, ImageEventHandler handler, CancelToken cancel);

/// Follows apt's and dpkg's lines. Pure, for tests.
class RootfsProgress {
public:
    /// The event that @p line stands for; nothing for most of them.
    [[nodiscard]] std::optional<ImageEvent> take(const QString& line);

private:
    qint64 m_currentBytes = 0;
    qint64 m_totalBytes = 0;
    int m_setUp = 0;
    int m_packages = 0;
};

/// Why mmdebstrap failed, from the end of what it wrote.
[[nodiscard]] Error rootfsFailure(const QByteArray& errorTail);

} // namespace isol8
