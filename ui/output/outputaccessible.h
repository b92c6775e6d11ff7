// SPDX-License-Identifier: MIT
#pragma once

namespace isol8::ui {

/// Lets screen readers read the lines of an OutputView that are in sight. Calling it again does
/// nothing.
void installOutputAccessibility();

} // namespace isol8::ui
