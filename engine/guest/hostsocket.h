// SPDX-License-Identifier: MIT
#pragma once

#include "engine/guest/system.h"

namespace isol8::guest {

/// A connection to the socket that the host offers, with the token written; closed, and errno says
/// why, where there is none.
Descriptor connectToHost(const unsigned char* token);

} // namespace isol8::guest
