// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/error.h"
#include "engine/http/requesthead.h"
#include "engine/http/responsehead.h"

/// How a connection becomes a WebSocket (RFC 6455, section 4).
namespace isol8::http {

/// Whether @p head asks for one in a way that can be answered. Kind::Invalid with status 400 or
/// 426.
[[nodiscard]] Result<> checkWebSocketRequest(const RequestHead& head);
/// The answer to such a request, with status 101.
[[nodiscard]] QByteArray webSocketAnswer(const RequestHead& head);

/// A new value for the field that is to be different each time.
[[nodiscard]] QByteArray newWebSocketKey();
/// A client's request; @p fields come beside those of the handshake.
[[nodiscard]] QByteArray webSocketRequest(
    const QByteArray& target, const QByteArray& host, const Fields& fields, const QByteArray& key);
/// Whether @p head answers a request with @p key by a WebSocket.
[[nodiscard]] bool isWebSocketAnswer(const ResponseHead& head, const QByteArray& key);

} // namespace isol8::http
