// SPDX-License-Identifier: MIT
#pragma once

#include <QStringList>

namespace isol8::cli {

/// The one of @p known that @p typed was probably meant to be; empty when none is close.
[[nodiscard]] QString nearest(const QString& typed, const QStringList& known);

} // namespace isol8::cli
