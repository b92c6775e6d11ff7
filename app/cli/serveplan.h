// SPDX-License-Identifier: MIT
#pragma once

#include "app/cli/surroundings.h"
#include "engine/http/httpserver.h"

#include <optional>

namespace isol8::cli {

/// The flags of `serve` as typed.
struct ServeOptions {
    std::optional<QString> port;
    std::optional<QString> key;
    std::optional<QString> bind;
    std::optional<QString> tlsCertificate;
    std::optional<QString> tlsKey;
};

/// Where and how the server listens.
struct ServePlan {
    QByteArray masterKey;
    http::ListenAddress address;
};

/// Gives the flags their meaning. The port is --port, $ISOL8_PORT, $PORT or 3000. Errors never
/// contain the key.
[[nodiscard]] Result<ServePlan> planServe(
    const ServeOptions& options, const Surroundings& surroundings);

/// Whether only this machine can reach it.
[[nodiscard]] bool isLoopback(const http::ListenAddress& address);
/// Where a client on this machine finds the server: `http://localhost:3000`.
[[nodiscard]] QString serverUrl(const http::ListenAddress& address, quint16 port);

} // namespace isol8::cli
