// SPDX-License-Identifier: MIT
#pragma once

#include "app/serve/routes.h"

/// What the routes do, one function each; see the table in routes.cpp.
namespace isol8::serve::handlers {

// generalhandlers.cpp
[[nodiscard]] Task<Answer> health(Request request);
[[nodiscard]] Task<Answer> listRuntimes(Request request);
[[nodiscard]] Task<Answer> cleanUp(Request request);
[[nodiscard]] Task<Answer> showMetrics(Request request);
[[nodiscard]] Task<Answer> showOpenApi(Request request);

// executehandlers.cpp
[[nodiscard]] Task<Answer> execute(Request request);
[[nodiscard]] Task<Answer> executeStream(Request request);
[[nodiscard]] Task<Answer> executeWebSocket(Request request);
[[nodiscard]] Task<Answer> showExecution(Request request);
[[nodiscard]] Task<Answer> cancelExecution(Request request);

// sessionhandlers.cpp
[[nodiscard]] Task<Answer> putFile(Request request);
[[nodiscard]] Task<Answer> fetchFile(Request request);
[[nodiscard]] Task<Answer> removeFile(Request request);
[[nodiscard]] Task<Answer> listFiles(Request request);
[[nodiscard]] Task<Answer> listSessions(Request request);
[[nodiscard]] Task<Answer> deleteSession(Request request);

// authhandlers.cpp
[[nodiscard]] Task<Answer> createKey(Request request);
[[nodiscard]] Task<Answer> listKeys(Request request);
[[nodiscard]] Task<Answer> revokeKey(Request request);
[[nodiscard]] Task<Answer> logIn(Request request);

/// The request's body, which must be a JSON object; 415 for another content type. An empty body is
/// Kind::Invalid unless @p isOptional.
[[nodiscard]] Task<QJsonObject> readJson(Request request, bool isOptional = false);

} // namespace isol8::serve::handlers
