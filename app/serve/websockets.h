// SPDX-License-Identifier: MIT
#pragma once

#include "app/serve/routes.h"

namespace isol8::serve {

/// Makes a WebSocket of the request's connection and serves it. Kind::Invalid with 426 when the
/// client did not ask for one.
[[nodiscard]] Result<Answer> acceptWebSocket(const Request& request);

} // namespace isol8::serve
