// SPDX-License-Identifier: MIT
#pragma once

#include <QString>

namespace isol8 {

/// `resources/profiles/seccomp-strict.json` as the daemon takes it, on one line: an allow-list that
/// is a subset of Docker's own default profile.
[[nodiscard]] QString strictSeccompProfile();

} // namespace isol8
