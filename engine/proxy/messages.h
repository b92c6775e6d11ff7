// SPDX-License-Identifier: MIT
#pragma once

#include "engine/http/responsehead.h"
#include "engine/proxy/proxyrequest.h"

namespace isol8::proxy {

/// How the proxy frames a body that it passes on, whatever framing it came in.
enum class Framing { None, Length, Chunked, UntilClose };

enum class Persistence { KeepAlive, Close };

/// The head of @p request as its host gets it: HTTP/1.1, this host alone, nothing that was meant
/// for the proxy, one framing. One request a connection, so no answer can be taken for another's.
[[nodiscard]] QByteArray headForHost(const ProxyRequest& request);

/// The framing of the body of @p answer for a client of HTTP/1.@p minorVersion.
[[nodiscard]] Framing framingForClient(
    const http::ResponseHead& answer, const ProxyRequest& request);
/// The head of @p answer as the client gets it; also of interim answers and 101.
[[nodiscard]] QByteArray headForClient(
    const http::ResponseHead& answer, const ProxyRequest& request, Persistence persistence);

/// @p body (not empty) as one chunk.
[[nodiscard]] QByteArray chunk(const QByteArray& body);
inline constexpr QByteArrayView lastChunk = "0\r\n\r\n";

/// An answer of the proxy's own: @p sentence as text, except after HEAD (@p method).
[[nodiscard]] QByteArray ownAnswer(
    int status, const QString& sentence, QByteArrayView method, Persistence persistence);

} // namespace isol8::proxy
