// SPDX-License-Identifier: MIT
#pragma once

namespace isol8::guest {

/// Removes every System V shared memory segment, semaphore set and message queue of the caller's.
/// Nullptr when none is left, else what there still is.
const char* removeSystemVObjects();

} // namespace isol8::guest
