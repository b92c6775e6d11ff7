// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/error.h"
#include "engine/core/execution.h"

/// What servers answer beside results and events (http-api.md). Errors are Kind::Protocol and name
/// the key's path; sizes and counts are bounded by the answer's own size.
namespace isol8::remote {

/// Of POST /auth/login.
struct Login {
    QString token;
    QString keyId;
    QDateTime expires; ///< Invalid: never.

    bool operator==(const Login&) const = default;
};

[[nodiscard]] Result<QList<SessionInfo>> sessionsFromJson(const QJsonObject& object);
[[nodiscard]] Result<QList<FileEntry>> filesFromJson(const QJsonObject& object);
/// Of GET /file.
[[nodiscard]] Result<QByteArray> contentFromJson(const QJsonObject& object);
[[nodiscard]] Result<Login> loginFromJson(const QJsonObject& object);

} // namespace isol8::remote
