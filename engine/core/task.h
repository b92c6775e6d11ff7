// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/error.h"

#include <QCoroTask>

#include <functional>
#include <memory>

namespace isol8 {

/// A one-shot asynchronous operation. Starts at once, runs on the thread that called it and never
/// throws. A Task that is dropped goes on to its end; cancel it through its CancelToken.
template <typename T = void> using Task = QCoro::Task<Result<T>>;

/// Cancels any number of operations that were given a copy of it. Copies share one state. Not
/// thread-safe: for use on the event loop's thread.
class CancelToken {
public:
    CancelToken();

    /// Runs every registered callback once; later calls do nothing.
    void cancel() const;
    [[nodiscard]] bool isCancelled() const;

    /// Keeps a callback registered; destroy it to unregister.
    class Registration {
    public:
        Registration() = default;
        ~Registration();
        Registration(Registration&& other) noexcept;
        Registration& operator=(Registration&& other) noexcept;
        Registration(const Registration&) = delete;
        Registration& operator=(const Registration&) = delete;

    private:
        friend class CancelToken;
        std::weak_ptr<void> m_state;
        quint64 m_id = 0;
    };

    /// Calls @p callback at the cancel, or at once (before returning) when that has already
    /// happened.
    [[nodiscard]] Registration onCancel(std::function<void()> callback) const;

private:
    friend class Registration;
    struct State;
    std::shared_ptr<State> m_state;
};

/// The error that every cancelled operation ends with.
[[nodiscard]] Error cancelled();

} // namespace isol8
