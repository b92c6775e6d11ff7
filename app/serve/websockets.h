// SPDX-License-Identifier: MIT
#pragma once

#include "app/serve/answer.h"
#include "app/serve/service.h"
#include "engine/http/exchange.h"

namespace isol8::serve {

/// Answers the upgrade of `/execute/ws`: the connection becomes a WebSocketExecution of the
/// service. Kind::Invalid (400, or 426 without an upgrade) for what is no such handshake.
[[nodiscard]] Result<Answer> acceptWebSocket(std::shared_ptr<http::Exchange> exchange,
    std::shared_ptr<Service> service, Principal principal);

} // namespace isol8::serve
