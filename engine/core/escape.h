// SPDX-License-Identifier: MIT
#pragma once

#include <QString>

namespace isol8 {

/// @p text fit for a terminal line or a log of ours: control characters, line breaks, bidirectional
/// marks and unpaired surrogates are shown as `\n`, `\x1b`, `\u202e`. Everything else, and so every
/// ordinary script, stays. What came from a container, a server or a file name goes through it.
[[nodiscard]] QString printable(const QString& text);

} // namespace isol8
