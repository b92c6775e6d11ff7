// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/completion.h"
#include "engine/sandbox/pool.h"
#include "engine/sandbox/startgate.h"

#include <QDeadlineTimer>
#include <QElapsedTimer>
#include <QTimer>

#include <deque>
#include <vector>

namespace isol8 {

struct Pool::Item {
    SandboxPointer sandbox;
    std::shared_ptr<Shelf> shelf;
    std::optional<QString> tenant; ///< Whose code has run in it; none: nobody's.
    int uses = 0;
    StartGate::Place starting; ///< Of the program that was started in it last.
    bool isPrestarting = false; ///< An interpreter will soon wait in it.
    bool isPrestarted = false; ///< An interpreter waits in it.
    qint64 memoryBytes = 0; ///< Since it was last made ready; 0: not known.
    QElapsedTimer idle; ///< Since it is ready.
};

/// The sandboxes of one configuration.
struct Pool::Shelf {
    using ItemPointer = std::shared_ptr<Item>;

    struct Waiter {
        quint64 number = 0;
        QString tenant;
        Completion<ItemPointer> handed;
    };

    docker::ContainerSpec spec;
    std::optional<Ahead> ahead;
    int keptReady = 0;
    bool isRetired = false;
    std::deque<ItemPointer> idle; ///< Ready; the one that was used last at the end.
    std::vector<ItemPointer> cleaning;
    int making = 0;
    int taken = 0;
    std::deque<Waiter> waiters;
    std::deque<QElapsedTimer> takes; ///< Of the last moments.
    QDeadlineTimer retry { 0 }; ///< After a failure nothing is made in advance before this.
    std::chrono::milliseconds retryDelay {};

    /// Takes out the best for @p tenant: one where an interpreter waits before one where it does
    /// not yet, its own before one that nobody has used. Null: none, or a better one is coming.
    [[nodiscard]] ItemPointer takeIdle(const QString& tenant);
    /// Sandboxes of @p tenant that are getting ready, and that nobody waits for.
    [[nodiscard]] int coming(const QString& tenant) const;
    /// Takes out whoever waits longest and may have @p item.
    [[nodiscard]] std::optional<Waiter> takeWaiter(const Item& item);
    /// Waiters who get nothing from what is being cleaned.
    [[nodiscard]] int unmet() const;
    [[nodiscard]] int unused() const;
    [[nodiscard]] bool isEmpty() const;
};

/// What the pool's coroutines share, and its arithmetic.
struct Pool::State {
    using ItemPointer = std::shared_ptr<Item>;
    using ShelfPointer = std::shared_ptr<Shelf>;

    State(const PoolLimits& theLimits, Actions theActions);

    PoolLimits limits;
    Actions actions;
    StartGate gate;
    std::vector<ShelfPointer> shelves;
    CancelToken closing;
    bool isClosed = false;
    bool isWatched = false;
    quint64 nextWaiter = 1;
    std::chrono::milliseconds makeTime { 150 }; ///< What making one takes, on average.
    PoolFigures counters; ///< Those that only grow.
    int background = 0;
    std::vector<Completion<>> closers;
    QTimer upkeep;

    [[nodiscard]] ShelfPointer shelfOf(const docker::ContainerSpec& spec);
    /// How many that nobody has used @p shelf should have ready.
    [[nodiscard]] int wantedReady(Shelf& shelf) const;
    /// How many may be made in advance.
    [[nodiscard]] int room() const;
    [[nodiscard]] int makingInAll() const;
    /// How many should be made now beside those that are being made.
    [[nodiscard]] int shortage(Shelf& shelf) const;
    /// Takes out what has been idle for too long, or is beyond the bounds.
    [[nodiscard]] std::vector<ItemPointer> takeExcess();
    /// Takes out the container that has died.
    [[nodiscard]] std::vector<ItemPointer> takeById(const QString& containerId);
    [[nodiscard]] std::vector<ItemPointer> takeDead();
    void removeEmptyShelves();
    /// When to look again; none: not until something happens.
    [[nodiscard]] std::optional<std::chrono::milliseconds> nextUpkeep();
    [[nodiscard]] PoolFigures figures() const;

    void begin() { ++background; }
    void end();
};

} // namespace isol8
