// SPDX-License-Identifier: MIT
#pragma once

#include <QByteArray>

namespace isol8::cli {

/// The argument that isol8 starts itself with to make a spare container.
inline constexpr char spareMakerArgument[] = "--make-spare";

/// Starts a process that makes the spare container of @p order (SpareOrder::toJson()) and outlives
/// this one, with nothing of this one's but the environment. Nobody waits for it or hears of it.
void startSpareMaker(const QByteArray& order);

/// That process: takes the order from standard input.
[[nodiscard]] int runSpareMaker(int argumentCount, char** arguments);

} // namespace isol8::cli
