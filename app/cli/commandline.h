// SPDX-License-Identifier: MIT
#pragma once

#include <QByteArrayList>

namespace isol8::cli {

/// The whole command line: parses the arguments of main(), runs the command and
/// returns its exit code.
[[nodiscard]] int runCommandLine(int argumentCount, char** argumentTexts);

} // namespace isol8::cli
