// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/task.h"

#include <chrono>
#include <memory>

namespace isol8 {

struct StartGateState;

/// Lets so many programs start at a time as the processors can start without taking each other's
/// time. A place is for the start only: it counts until it is given back, and never for longer than
/// `lasting`, so that no program can keep others out by what it does. Whoever came first is next.
class StartGate {
public:
    /// A start under way; given back at its end. A default one is none.
    class Place {
    public:
        Place() = default;
        ~Place() { leave(); }
        Place(Place&& other) noexcept;
        Place& operator=(Place&& other) noexcept;
        Place(const Place&) = delete;
        Place& operator=(const Place&) = delete;

        void leave();

    private:
        friend class StartGate;
        Place(std::weak_ptr<StartGateState> gate, quint64 number);

        std::weak_ptr<StartGateState> m_gate;
        quint64 m_number = 0;
    };

    /// @p places: 1 or more.
    explicit StartGate(
        int places, std::chrono::milliseconds lasting = std::chrono::milliseconds(250));
    ~StartGate();
    Q_DISABLE_COPY_MOVE(StartGate)

    /// Waits for a place. Kind::Cancelled at the cancel.
    [[nodiscard]] Task<Place> admit(CancelToken cancel);
    /// A place at once, for what goes on in any case.
    [[nodiscard]] Place enter();
    /// Those that wait fail with Kind::Cancelled.
    void refuse();
    [[nodiscard]] int waiting() const;

private:
    std::shared_ptr<StartGateState> m_state;
};

} // namespace isol8
