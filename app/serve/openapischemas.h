// SPDX-License-Identifier: MIT
#pragma once

#include <QJsonObject>

namespace isol8::serve {

/// `components/schemas` of the OpenAPI document: every body and answer of the server, by name.
[[nodiscard]] QJsonObject openApiSchemas();

} // namespace isol8::serve
