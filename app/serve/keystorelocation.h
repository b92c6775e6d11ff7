// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/error.h"

namespace isol8::serve {

enum class SqlDialect { Sqlite, Postgres, MySql };

/// Where the keys are kept.
struct KeyStoreLocation {
    SqlDialect dialect = SqlDialect::Sqlite;
    QString path; ///< Of a SQLite file.
    QString host; ///< Or the directory of PostgreSQL's local socket.
    int port = 0; ///< 0: the usual one.
    QString database;
    QString user;
    QString password;
    QString socketPath; ///< MySQL's local socket; empty: none.
    QString sslMode; ///< As `sslmode` of PostgreSQL's URLs; empty: its default.
};

/// Reads what KeyStore::open() takes. Kind::Invalid, without the password in the message.
[[nodiscard]] Result<KeyStoreLocation> keyStoreLocation(const QString& text);

} // namespace isol8::serve
