// SPDX-License-Identifier: MIT
#include "engine/sandbox/reaper.h"

#include "engine/core/logging.h"
#include "engine/core/owner.h"
#include "engine/sandbox/labels.h"

namespace isol8 {

namespace {

using namespace Qt::StringLiterals;

bool isLeftover(const docker::ContainerSummary& container)
{
    const auto kind = container.labels.value(labels::kind);
    // One that runs waits for somebody, or has somebody; its guest sees to its end.
    const bool isDeadSpare = kind == "spare"_L1 && container.state != "running"_L1;
    if (!isDeadSpare && kind != "run"_L1 && kind != "pool"_L1 && kind != "helper"_L1)
        return false;
    const auto owner = Owner::fromString(container.labels.value(labels::owner));
    return owner && owner->isProvablyDead();
}

} // namespace

Task<int> reapLeftovers(std::shared_ptr<docker::Client> client,
    std::shared_ptr<DirectAccess> access, CancelToken cancel)
{
    auto folders = access->lastingFolders(); // First: those that are made meanwhile are not in it.
    const auto containers
        = co_await client->listContainers({ labels::managed + u"=true"_s }, cancel);
    if (!containers)
        co_return std::unexpected(containers.error());
    int removed = 0;
    for (const auto& container : *containers) {
        folders.removeOne(container.labels.value(labels::socket));
        if (!isLeftover(container))
            continue;
        const auto gone = co_await client->removeContainer(container.id, cancel);
        if (gone)
            ++removed;
        else
            qCDebug(logSandbox) << "leftover" << container.id.left(12)
                                << "stays:" << gone.error().message;
    }
    for (const auto& folder : std::as_const(folders))
        access->removeFolder(folder);
    co_return removed;
}

} // namespace isol8
