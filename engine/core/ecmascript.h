// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/error.h"

namespace isol8 {

/// @p pattern, an ECMAScript regular expression without flags, as PCRE2 reads it. Errors are
/// Kind::Invalid and say what ECMAScript does not have; what is wrong in both languages is left to
/// PCRE2 to refuse. Counted repetitions may not make more than @p maxAtoms characters, classes and
/// groups of the whole.
[[nodiscard]] Result<QString> pcreFromEcmaScript(const QString& pattern, qint64 maxAtoms);

} // namespace isol8
