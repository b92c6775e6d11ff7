// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/execution.h"

namespace isol8::ui {

/// What a filter would say about a host name, as far as its lists go.
struct HostVerdict {
    enum class Kind { Allowed, Denied, BadPattern };
    Kind kind = Kind::Allowed;
    QString rule; ///< The pattern that decided; empty: none matched.
};

/// Patterns that do not compile are reported before anything else.
[[nodiscard]] HostVerdict judgeHost(const NetworkFilter& filter, const QString& host);

} // namespace isol8::ui
