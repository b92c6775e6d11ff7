// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/error.h"
#include "engine/http/requesthead.h"

#include <QByteArray>
#include <QJsonObject>

namespace isol8::serve {

/// What a handler answers.
struct Answer {
    int status = 200;
    QByteArray body;
    QByteArray contentType = "application/json";
    http::Fields headers;
    bool isSent = false; ///< The handler has spoken to the client itself; nothing else counts.
};

[[nodiscard]] Answer jsonAnswer(const QJsonObject& object, int status = 200);
/// `{"ok":true}`
[[nodiscard]] Answer okAnswer();
/// `{"error": …}` with the status of the failure.
[[nodiscard]] Answer errorAnswer(const Error& error);
[[nodiscard]] Answer sentAnswer();

/// Error::httpStatus, else what fits the kind.
[[nodiscard]] int statusOf(const Error& error);

/// What is refused once the server begins to end; 503.
[[nodiscard]] Error shuttingDown();

/// What an engine's failure means to a client: the request's fault keeps its status and sentence,
/// everything else is the server's (500; 503 while Docker does not answer), and what it says of
/// this machine goes to the log only.
[[nodiscard]] Error engineFailure(Error error);

} // namespace isol8::serve
