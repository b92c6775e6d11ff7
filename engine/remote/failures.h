// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/error.h"
#include "engine/remote/serveraddress.h"

#include <QNetworkReply>

#include <chrono>

/// The sentences for what can go wrong with a server. What it said itself is shortened.
namespace isol8::remote {

/// An answer that is no success: `{"error": …}` of an isol8 server or a page of anybody else.
[[nodiscard]] Error errorFromAnswer(const ServerAddress& address, int status,
    const QByteArray& body, const QByteArray& retryAfter = {}, const QByteArray& location = {});

/// An `error` event of a stream; @p status is 0 where the server does not say.
[[nodiscard]] Error errorFromEvent(int status, const QString& text);

/// There is no answer. @p tlsProblem: what Qt found wrong with the certificate.
[[nodiscard]] Error errorFromNetwork(const ServerAddress& address, QNetworkReply::NetworkError code,
    const QString& detail, const QString& tlsProblem);

[[nodiscard]] Error noAnswerInTime(const ServerAddress& address, std::chrono::milliseconds limit);
/// It answers, but not as an isol8 server does.
[[nodiscard]] Error notIsol8(const ServerAddress& address, const QString& detail);
[[nodiscard]] Error answerTooLarge(const ServerAddress& address, qint64 maxBytes);
/// The stream of a run ended before its exit. @p detail may be empty.
[[nodiscard]] Error lostConnection(const ServerAddress& address, const QString& detail = {});

} // namespace isol8::remote
