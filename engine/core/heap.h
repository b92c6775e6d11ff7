// SPDX-License-Identifier: MIT
#pragma once

/// How the program sets up its heap (mallopt(3)); in one place, for whoever changes it for a while.
namespace isol8::heap {

/// Free memory at the end of the heap that is not given back to the system: streams need it again
/// and again.
constexpr int keptBytes = 8 << 20;

} // namespace isol8::heap
