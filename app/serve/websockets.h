// SPDX-License-Identifier: MIT
#pragma once

#include "app/serve/routes.h"

namespace isol8::serve {

/// Makes a WebSocket of the request's connection and serves it. Kind::Invalid with 426 when the
/// client did not ask for one of this version, with 400 when it did not do so properly.
[[nodiscard]] Result<Answer> acceptWebSocket(const Request& request);

} // namespace isol8::serve
