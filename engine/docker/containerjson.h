// SPDX-License-Identifier: MIT
#pragma once

#include "engine/docker/types.h"

#include <QJsonObject>

namespace isol8::docker {

/// The body of `POST /containers/create`.
[[nodiscard]] QJsonObject toJson(const ContainerSpec& spec);

[[nodiscard]] QJsonObject toJson(const Labels& labels);

} // namespace isol8::docker
