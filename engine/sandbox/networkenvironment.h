// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/execution.h"

#include <QMap>

namespace isol8 {

/// Where the certificates are that programs with a network trust, when ExecutionOptions names a
/// bundle.
inline const QString sandboxBundlePath = QStringLiteral("/sandbox/.isol8-ca.pem");

/// Variables, by name, that lead the programs of a sandbox with filtered networking to its proxy:
/// those that curl, git, pip, npm, Python, Bun and Deno honour, and the switch that makes Node.js
/// honour them. The sandbox's own loopback is reached directly, except where an exception of
/// @p filter gives such a host to the outside.
[[nodiscard]] QMap<QString, QString> proxyEnvironment(const NetworkFilter& filter);

/// Variables that make runtimes, libraries and package managers trust the bundle.
[[nodiscard]] QMap<QString, QString> trustEnvironment();

/// Whether the programs of a run with these options need the bundle.
[[nodiscard]] inline bool needsBundle(const ExecutionOptions& options)
{
    return !options.caBundlePath.isEmpty() && options.network != NetworkMode::None;
}

} // namespace isol8
