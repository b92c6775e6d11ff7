// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/error.h"

#include <QString>

namespace isol8 {

/// The address of a file in a public repository, from `owner/repo/ref/path`. Kind::Invalid for
/// anything else; a ref that holds slashes cannot be told from the path.
[[nodiscard]] Result<QString> githubSourceUrl(const QString& text);
/// The same for a gist's file, from `id/file`.
[[nodiscard]] Result<QString> gistSourceUrl(const QString& text);

} // namespace isol8
