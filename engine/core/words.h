// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/error.h"

#include <QStringList>

namespace isol8 {

/// Words of a command line as a shell's user writes them: white space separates, quotes of both
/// kinds and a backslash keep together; nothing is expanded. Kind::Invalid for an open quote.
[[nodiscard]] Result<QStringList> splitWords(const QString& text);

} // namespace isol8
