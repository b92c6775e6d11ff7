// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/task.h"

#include <QByteArray>
#include <QString>

/// What this machine is set up with, so that builds use the same mirrors and trust the same
/// authorities.
namespace isol8 {

/// The Debian mirror of this machine's apt, else the public one.
[[nodiscard]] Task<QString> hostDebianMirror(CancelToken cancel);
/// The registry of this machine's npm, else the public one.
[[nodiscard]] Task<QString> hostNpmRegistry(CancelToken cancel);

/// The mirror among the lines of `apt-get indextargets --format '$(SITE)'`; empty: none of Debian
/// itself.
[[nodiscard]] QString debianMirrorAmong(const QByteArray& sites);
/// @p text if it is an HTTP URL that is fit for a registry; empty otherwise.
[[nodiscard]] QString registryFrom(const QByteArray& text);

/// Certificates in PEM: this machine's own ($SSL_CERT_FILE, else where distributions keep them) and
/// those of @p additionalPath. Only a missing or broken additional file is an error
/// (Kind::Invalid).
[[nodiscard]] Result<QByteArray> readCaBundle(const QString& additionalPath);

} // namespace isol8
