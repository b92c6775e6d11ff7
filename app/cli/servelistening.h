// SPDX-License-Identifier: MIT
#pragma once

#include "app/cli/console.h"
#include "app/serve/server.h"

namespace isol8::cli {

/// Listens at @p address, or on another port if the user agrees, and says so. Where a client finds
/// the server; none when it does not listen, which has been said.
[[nodiscard]] std::optional<QString> listenAt(
    serve::Server& server, http::ListenAddress address, Console& console);

/// The same on sockets that the service manager passed in.
[[nodiscard]] std::optional<QString> listenOnPassed(serve::Server& server,
    const QList<int>& sockets, const std::optional<http::TlsFiles>& tls, Console& console);

} // namespace isol8::cli
