// SPDX-License-Identifier: MIT
#pragma once

#include "app/serve/keystorelocation.h"

class QSqlDatabase;

namespace isol8::serve {

/// Version of the tables that this isol8 works with.
[[nodiscard]] int keyStoreSchemaVersion();

/// Brings the tables of an open database up to keyStoreSchemaVersion(), one server at a time. A
/// database of a newer isol8 is Kind::Conflict and left alone; what the database refuses is
/// Kind::Unreachable with its reason.
[[nodiscard]] Result<> migrateKeyStore(QSqlDatabase& database, SqlDialect dialect);

} // namespace isol8::serve
