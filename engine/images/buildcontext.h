// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/task.h"
#include "engine/images/recipe.h"

#include <QByteArray>
#include <QList>
#include <QMap>
#include <QString>

namespace isol8 {

/// What Docker gets to build an image from.
struct BuildContext {
    QMap<QString, QByteArray> files; ///< Path in the context to content; mode 0644.
    /// A part of a `.tgz` on this machine that goes below `rootfs/`.
    struct Part {
        QString archivePath;
        Artifact artifact;
    };
    QList<Part> parts;
    QList<Link> links; ///< Go below `rootfs/`.
};

/// Writes @p context as the tar file @p tarPath on a thread of its own. Kind::Protocol when an
/// archive is not what the recipe expects, Kind::Limit without space. On failure the tar may be
/// half there.
[[nodiscard]] Task<> writeContext(BuildContext context, QString tarPath, CancelToken cancel);

} // namespace isol8
