// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/task.h"
#include "engine/docker/types.h"
#include "engine/sandbox/guestconnection.h"
#include "engine/sandbox/poollimits.h"

#include <memory>
#include <optional>

namespace isol8 {

class Sandbox;

/// A program that is started before anybody asks for it; see GuestConnection::prestart().
struct Ahead {
    GuestRunSpec spec;
    QByteArray path; ///< Its file.
    bool isCopyable = false; ///< Later ones may be copies of the first; see engine/guest/zygote.h.

    bool operator==(const Ahead&) const = default;
};

/// Sandboxes that are ready before a run asks for one, kept apart by everything that Docker was
/// told to make them with. One that was used is cleaned for the same tenant's next run, or thrown
/// away; it never comes back before its guest has proved it clean, and never to another tenant.
/// More are made while runs wait and kept while they are used; making, cleaning and removing is
/// nobody's time but the pool's own. Await close() before the end.
class Pool {
public:
    using SandboxPointer = std::shared_ptr<Sandbox>;

    /// What it does with sandboxes; tests give their own.
    struct Actions {
        std::function<Task<SandboxPointer>(docker::ContainerSpec, CancelToken)> make;
        std::function<Task<>(SandboxPointer, CancelToken)> scrub;
        /// The sandbox's memory in bytes afterwards.
        std::function<Task<qint64>(SandboxPointer, Ahead, CancelToken)> prestart;
        std::function<bool(const SandboxPointer&)> isAlive; ///< As far as it is known.
        std::function<Task<>(SandboxPointer, CancelToken)> check; ///< Asks it.
        std::function<Task<>(SandboxPointer)> destroy;
        std::function<QString(const SandboxPointer&)> idOf;
    };

    Pool(const PoolLimits& limits, Actions actions);
    ~Pool();
    Q_DISABLE_COPY_MOVE(Pool)

    struct Wish {
        docker::ContainerSpec spec;
        QString tenant;
        std::optional<Ahead> ahead; ///< What the next run like this will probably be.
    };
    struct Item;
    struct Taken {
        SandboxPointer sandbox;
        std::shared_ptr<Item> item; ///< For giveBack(), which must follow.
    };
    /// One that is ready, else the first that becomes so.
    [[nodiscard]] Task<Taken> take(Wish wish, CancelToken cancel);
    /// @p isBroken: it is not to be used again.
    void giveBack(std::shared_ptr<Item> item, bool isBroken);

    /// Keeps some ready from now on, for any tenant.
    void keepReady(Wish wish);
    /// No more of those that nobody uses where @p isOutdated says so of their configuration.
    void retire(const std::function<bool(const docker::ContainerSpec&)>& isOutdated);
    /// Docker says that this container died or was paused.
    void drop(const QString& containerId);
    /// Whether drop() is called at once from now on; else sandboxes are asked before they are used.
    void setWatched(bool isWatched);

    [[nodiscard]] PoolFigures figures() const;

    /// Ends all that nobody uses, and what is given back later; waits until they are gone.
    [[nodiscard]] Task<> close();

    struct Shelf;
    struct State;

private:
    std::shared_ptr<State> m_state;
};

} // namespace isol8
