// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/engine.h"

#include <QString>

#include <functional>
#include <memory>

namespace isol8::ui {

/// Where code runs: this machine's Docker, or a server.
struct Target {
    QString id; ///< Never changes; `local` for this machine's Docker.
    QString name; ///< As the user calls it.
    QString address; ///< Of a server; empty: local.

    [[nodiscard]] bool isLocal() const { return address.isEmpty(); }
    bool operator==(const Target&) const = default;
};

[[nodiscard]] Target localTarget();

/// Makes the engine of a target; @p key is a server's. Tests give their own.
using EngineFactory
    = std::function<Result<std::shared_ptr<Engine>>(const Target& target, const QString& key)>;
[[nodiscard]] EngineFactory realEngines();

} // namespace isol8::ui
