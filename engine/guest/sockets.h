// SPDX-License-Identifier: MIT
#pragma once

namespace isol8::guest {

/// What kind of socket is left in the network namespace though every program is dead, or nullptr.
/// Waits some moments for connections that are just being closed.
const char* leftoverSocket();

} // namespace isol8::guest
