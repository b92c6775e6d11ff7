// SPDX-License-Identifier: MIT
#pragma once

#include <QByteArray>
#include <QJsonObject>
#include <QList>

namespace isol8::serve {

/// A route as the description of the interface has it.
struct DescribedRoute {
    QByteArray method; ///< For example GET.
    QByteArray pattern; ///< As the router has it: `/session/:id`.

    bool operator==(const DescribedRoute&) const = default;
};

/// Every route that openApiDocument() describes, for comparing with the router's table.
[[nodiscard]] QList<DescribedRoute> describedRoutes();

/// The OpenAPI 3.1 description of the server.
[[nodiscard]] QJsonObject openApiDocument();

} // namespace isol8::serve
