// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/task.h"

#include <coroutine>
#include <optional>
#include <utility>

namespace isol8 {

/// A result that one coroutine waits for and somebody else delivers once: the bridge from signals
/// and callbacks to `co_await`. Copies share one state; the first delivery counts, later ones are
/// ignored. If nobody ever delivers, the waiter's frame is kept by its own Task; so owners deliver
/// in their destructors.
template <typename T = void> class Completion {
public:
    Completion()
        : m_state(std::make_shared<State>())
    {
    }

    void deliver(Result<T> result) const
    {
        const auto state = m_state;
        if (state->result)
            return;
        state->result.emplace(std::move(result));
        if (const auto waiter = std::exchange(state->waiter, nullptr))
            waiter.resume();
    }
    void fail(Error error) const { deliver(std::unexpected(std::move(error))); }

    [[nodiscard]] bool isDelivered() const { return m_state->result.has_value(); }

    /// For `co_await completion.wait()`; one waiter at a time.
    [[nodiscard]] auto wait() const
    {
        struct Awaiter {
            std::shared_ptr<State> state;
            [[nodiscard]] bool await_ready() const noexcept { return state->result.has_value(); }
            void await_suspend(std::coroutine_handle<> waiter) noexcept { state->waiter = waiter; }
            Result<T> await_resume() { return *state->result; }
        };
        return Awaiter { m_state };
    }

private:
    struct State {
        std::optional<Result<T>> result;
        std::coroutine_handle<> waiter;
    };
    std::shared_ptr<State> m_state;
};

} // namespace isol8
