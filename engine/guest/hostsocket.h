// SPDX-License-Identifier: MIT
#pragma once

#include "engine/guest/system.h"

namespace isol8::guest {

/// A connection to where the host listens, with the token written; closed, and errno says why,
/// where there is none.
Descriptor connectToHost(const unsigned char* token);
/// The direct socket that the host has passed over @p connection; likewise, with EAGAIN as long as
/// it may still come.
Descriptor takeFromHost(const Descriptor& connection);

} // namespace isol8::guest
