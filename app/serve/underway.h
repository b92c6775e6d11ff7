// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/completion.h"

#include <vector>

namespace isol8::serve {

/// Counts what is under way and tells those who wait for the end of all of it.
class Underway {
public:
    void begin() { ++m_count; }
    void end();
    [[nodiscard]] int count() const { return m_count; }

    /// Delivers @p completion when nothing is under way: at once if that is so already, else from
    /// the event loop, since whoever waits may destroy what is on the stack of end().
    void whenNone(const Completion<>& completion);

private:
    int m_count = 0;
    std::vector<Completion<>> m_waiters;
};

} // namespace isol8::serve
