// SPDX-License-Identifier: MIT
#pragma once

#include "app/serve/service.h"

namespace isol8::serve {

/// The end of a server: refuses what is new and what waits, gives what is under way some time
/// (`serve.drainMs`, or until @p hurry is cancelled), cancels what is left, ends the sessions
/// unless `serve.keepSessions`, and shuts the engine down. Answers are then on their way.
[[nodiscard]] Task<> shutDown(std::shared_ptr<Service> service, CancelToken hurry);

/// Waits until whoever was given the completion delivers it, at most for @p limit or until somebody
/// hurries.
[[nodiscard]] Task<> waitAtMost(
    Completion<> completion, std::chrono::milliseconds limit, CancelToken hurry = {});

} // namespace isol8::serve
