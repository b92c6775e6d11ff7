// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/engine.h"

namespace isol8::serve {

/// Which version of a runtime an image holds. The first who asks has a line of code run in it; the
/// answer is kept.
class RuntimeVersions {
public:
    explicit RuntimeVersions(std::shared_ptr<Engine> engine);
    ~RuntimeVersions();
    Q_DISABLE_COPY_MOVE(RuntimeVersions)

    /// @p image: a tag, or empty for the runtime's own; @p content: names what is in it, so that
    /// images with the same runtime share an answer. Empty: it would not tell.
    [[nodiscard]] QCoro::Task<QString> of(Runtime runtime, QString image, QString content);

private:
    struct State;
    std::shared_ptr<State> m_state;
};

} // namespace isol8::serve
