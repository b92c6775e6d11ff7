// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/error.h"
#include "engine/docker/endpoint.h"

#include <QByteArrayView>

namespace isol8::docker {

/// The Error that Docker's answer with @p status (300 or more) and @p body stands for: Docker's own
/// sentence where the body is its `{"message": …}`.
[[nodiscard]] Error errorFromAnswer(int status, QByteArrayView body);

/// The Kind of one of Docker's sentences that came without a status (in progress lines).
[[nodiscard]] Error errorFromProgress(const QString& message);

/// Why @p endpoint cannot be reached, with the next step for the user. @p detail is the transport's
/// own word, used when nothing better can be found out.
[[nodiscard]] Error connectionError(const Endpoint& endpoint, const QString& detail);

/// The TLS handshake failed.
[[nodiscard]] Error tlsError(const Endpoint& endpoint, const QString& detail);

/// The connection broke while an answer was awaited.
[[nodiscard]] Error brokenConnection(const QString& what);

} // namespace isol8::docker
