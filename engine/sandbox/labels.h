// SPDX-License-Identifier: MIT
#pragma once

#include <QString>

// The labels on every container and volume that isol8 makes.
namespace isol8::labels {

/// Always "true". Docker gives a container its image's labels, and isol8's images have this one
/// too: it alone does not say that isol8 made the container.
inline const QString managed = QStringLiteral("isol8.managed");
/// Owner::toString() of the process that made it.
inline const QString owner = QStringLiteral("isol8.owner");
inline const QString kind
    = QStringLiteral("isol8.kind"); ///< run, pool, spare, session, kept or helper.
inline const QString session = QStringLiteral("isol8.session"); ///< Session id.
/// Name of the direct socket's folder, of those that outlive their host.
inline const QString socket = QStringLiteral("isol8.socket");
inline const QString runtime = QStringLiteral("isol8.runtime"); ///< Runtime name.

} // namespace isol8::labels
