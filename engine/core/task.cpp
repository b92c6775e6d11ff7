// SPDX-License-Identifier: MIT
#include "engine/core/task.h"

#include <map>
#include <utility>

namespace isol8 {

struct CancelToken::State {
    bool isCancelled = false;
    quint64 nextId = 1;
    std::map<quint64, std::function<void()>> callbacks;
};

CancelToken::CancelToken()
    : m_state(std::make_shared<State>())
{
}

void CancelToken::cancel() const
{
    const auto state = m_state;
    if (std::exchange(state->isCancelled, true))
        return;
    // A callback may unregister others, so each one is taken out before it is called.
    while (!state->callbacks.empty()) {
        auto node = state->callbacks.extract(state->callbacks.begin());
        node.mapped()();
    }
}

bool CancelToken::isCancelled() const
{
    return m_state->isCancelled;
}

CancelToken::Registration CancelToken::onCancel(std::function<void()> callback) const
{
    Registration registration;
    if (m_state->isCancelled) {
        callback();
        return registration;
    }
    registration.m_state = m_state;
    registration.m_id = m_state->nextId++;
    m_state->callbacks.emplace(registration.m_id, std::move(callback));
    return registration;
}

CancelToken::Registration::~Registration()
{
    if (const auto state = m_state.lock())
        static_cast<State*>(state.get())->callbacks.erase(m_id);
}

CancelToken::Registration::Registration(Registration&& other) noexcept
    : m_state(std::exchange(other.m_state, {}))
    , m_id(std::exchange(other.m_id, 0))
{
}

CancelToken::Registration& CancelToken::Registration::operator=(Registration&& other) noexcept
{
    std::swap(m_state, other.m_state);
    std::swap(m_id, other.m_id);
    return *this;
}

Error cancelled()
{
    return { Kind::Cancelled, QStringLiteral("cancelled") };
}

} // namespace isol8
