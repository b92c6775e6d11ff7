// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/completion.h"
#include "engine/sandbox/pool.h"
#include "engine/sandbox/sandbox.h"

#include <QSet>

namespace isol8::test {

using SandboxPointer = Pool::SandboxPointer;

/// Sandboxes that are names only, and what the pool did with them.
struct Workshop {
    struct Job {
        SandboxPointer sandbox;
        Completion<> done;
    };

    int made = 0;
    bool isMakingHeld = false;
    QList<Completion<SandboxPointer>> making; ///< While held: those that wait.
    std::optional<Error> makingFails;
    bool isCleaningHeld = false;
    QList<Job> cleaning;
    std::optional<Error> cleaningFails;
    bool isDestroyingHeld = false;
    QList<Completion<>> destroying;
    QStringList cleaned;
    bool isPrestartHeld = false;
    QList<Completion<>> prestarting;
    QStringList prestarted;
    QStringList destroyed;
    QStringList checked;
    QSet<QString> dead;
    QSet<QString> silent;
    qint64 memoryBytes = 1;

    SandboxPointer produce()
    {
        return std::make_shared<Sandbox>(nullptr, QStringLiteral("box%1").arg(++made), nullptr);
    }
};
using WorkshopPointer = std::shared_ptr<Workshop>;

[[nodiscard]] Pool::Actions actionsOf(const WorkshopPointer& shop);

[[nodiscard]] Pool::Wish wish(const QString& tenant, qint64 memory = 1);

/// Somebody who asks the pool for a sandbox.
struct Client {
    std::optional<Result<Pool::Taken>> answer;
    CancelToken cancel;

    [[nodiscard]] QString id() const
    {
        return answer && *answer ? (*answer)->sandbox->containerId() : QString();
    }
};

Task<> ask(std::shared_ptr<Client> client, Pool* pool, Pool::Wish wish);
[[nodiscard]] std::shared_ptr<Client> take(Pool& pool, const Pool::Wish& wish);
void giveBack(Pool& pool, const std::shared_ptr<Client>& client, bool isBroken = false);

} // namespace isol8::test
