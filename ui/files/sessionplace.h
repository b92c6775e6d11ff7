// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/engine.h"

#include <memory>

namespace isol8::ui {

/// A session at a target: what file operations need.
struct SessionPlace {
    std::shared_ptr<Engine> engine; ///< Null: there is none.
    QString targetId;
    QString sessionId;

    [[nodiscard]] bool isValid() const { return engine && !sessionId.isEmpty(); }
    bool operator==(const SessionPlace&) const = default;
};

} // namespace isol8::ui
