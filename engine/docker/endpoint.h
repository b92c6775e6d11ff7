// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/error.h"

#include <QSslConfiguration>
#include <QString>

#include <optional>

namespace isol8::docker {

/// Where Docker listens.
struct Endpoint {
    enum class Transport { Local, Tcp, Tls };
    Transport transport = Transport::Local;
    QString socketPath; ///< For Local.
    QString host; ///< For Tcp and Tls.
    quint16 port = 0;
    /// For Tls only: Qt loads OpenSSL and every root certificate (50 ms) for the first such value.
    std::optional<QSslConfiguration> tls;
    /// Where this came from, for messages: "DOCKER_HOST", "context remote", "default".
    QString origin;

    /// As a user would write it: `unix:///var/run/docker.sock`.
    [[nodiscard]] QString toString() const;
};

/// The endpoint that the `docker` command would use: DOCKER_HOST (with DOCKER_TLS_VERIFY and
/// DOCKER_CERT_PATH), else DOCKER_CONTEXT, else the current context of `~/.docker/config.json`
/// (DOCKER_CONFIG), else the default socket; a rootless daemon's socket when only that exists.
/// Kind::Invalid names what is wrong.
[[nodiscard]] Result<Endpoint> resolveEndpoint();

/// @p url as DOCKER_HOST takes it: `unix://`, `tcp://`, `http://`, `https://`.
[[nodiscard]] Result<Endpoint> endpointFromUrl(const QString& url);

} // namespace isol8::docker
