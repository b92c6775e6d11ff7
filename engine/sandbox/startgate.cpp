// SPDX-License-Identifier: MIT
#include "engine/sandbox/startgate.h"

#include "engine/core/completion.h"

#include <QDeadlineTimer>
#include <QTimer>

#include <deque>

namespace isol8 {

struct StartGateState {
    struct Start {
        quint64 number = 0;
        QDeadlineTimer end;
    };
    struct Waiter {
        quint64 number = 0;
        Completion<> turn;
    };

    int places = 1;
    std::chrono::milliseconds lasting {};
    quint64 nextNumber = 1;
    std::deque<Start> starts; ///< In the order of their ends.
    std::deque<Waiter> waiters;
    QTimer timer; ///< For the first start that lasts too long, while somebody waits.

    [[nodiscard]] bool isOpen()
    {
        while (!starts.empty() && starts.front().end.hasExpired())
            starts.pop_front();
        return starts.size() < size_t(places);
    }
    void begin(quint64 number) { starts.push_back({ number, QDeadlineTimer(lasting) }); }
    void passOn();
};

/// Lets in who may go.
void StartGateState::passOn()
{
    std::vector<Completion<>> turns;
    while (!waiters.empty() && isOpen()) {
        begin(waiters.front().number);
        turns.push_back(waiters.front().turn);
        waiters.pop_front();
    }
    if (waiters.empty())
        timer.stop();
    else
        timer.start(std::chrono::milliseconds(starts.front().end.remainingTime() + 1));
    // Last, since whoever goes on may come back here.
    for (const auto& turn : turns)
        turn.deliver({});
}

StartGate::Place::Place(std::weak_ptr<StartGateState> gate, quint64 number)
    : m_gate(std::move(gate))
    , m_number(number)
{
}

StartGate::Place::Place(Place&& other) noexcept
    : m_gate(std::exchange(other.m_gate, {}))
    , m_number(std::exchange(other.m_number, 0))
{
}

StartGate::Place& StartGate::Place::operator=(Place&& other) noexcept
{
    if (this != &other) {
        leave();
        m_gate = std::exchange(other.m_gate, {});
        m_number = std::exchange(other.m_number, 0);
    }
    return *this;
}

void StartGate::Place::leave()
{
    const auto number = std::exchange(m_number, 0);
    const auto gate = std::exchange(m_gate, {}).lock();
    if (!gate || number == 0)
        return;
    std::erase_if(gate->starts, [number](const auto& start) { return start.number == number; });
    gate->passOn();
}

StartGate::StartGate(int places, std::chrono::milliseconds lasting)
    : m_state(std::make_shared<StartGateState>())
{
    m_state->places = places;
    m_state->lasting = lasting;
    m_state->timer.setSingleShot(true);
    QObject::connect(&m_state->timer, &QTimer::timeout, &m_state->timer,
        [state = m_state.get()] { state->passOn(); });
}

StartGate::~StartGate()
{
    refuse();
}

void StartGate::refuse()
{
    for (const auto& waiter : std::exchange(m_state->waiters, {}))
        waiter.turn.fail(cancelled());
}

Task<StartGate::Place> StartGate::admit(CancelToken cancel)
{
    const auto state = m_state;
    if (state->waiters.empty() && state->isOpen())
        co_return enter();
    const auto number = state->nextNumber++;
    const Completion<> turn;
    state->waiters.push_back({ number, turn });
    const auto registration = cancel.onCancel([weak = std::weak_ptr(state), number, turn] {
        if (const auto gate = weak.lock())
            std::erase_if(
                gate->waiters, [number](const auto& waiter) { return waiter.number == number; });
        turn.fail(cancelled());
    });
    state->passOn();
    const auto admitted = co_await turn.wait();
    if (!admitted)
        co_return std::unexpected(admitted.error());
    co_return Place(state, number);
}

StartGate::Place StartGate::enter()
{
    const auto number = m_state->nextNumber++;
    m_state->begin(number);
    return { m_state, number };
}

int StartGate::waiting() const
{
    return static_cast<int>(m_state->waiters.size());
}

} // namespace isol8
