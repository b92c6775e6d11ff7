// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/error.h"

#include <QByteArray>

namespace isol8 {

/// Reads a regular file of at most @p maxBytes whole, following links. Never blocks on a FIFO or
/// device and never reads more than the bound, whatever the file claims. Errors: NotFound, Denied,
/// Limit, Invalid (not a regular file), Internal; each names the path.
[[nodiscard]] Result<QByteArray> readSmallFile(const QString& path, qint64 maxBytes);

} // namespace isol8
