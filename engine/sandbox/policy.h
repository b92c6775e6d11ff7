// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/error.h"
#include "engine/core/execution.h"
#include "engine/docker/types.h"

#include <chrono>

namespace isol8 {

/// What a sandbox is made for; the label isol8.kind.
enum class SandboxKind {
    Run, ///< Ends with its host.
    Pool, ///< The same, and may be used by several runs, one after the other.
    Spare, ///< Waits for a host, and then ends with it.
    Session, ///< Outlives its host, which may come back.
    Kept, ///< Stays for inspection (`--persist`).
};

/// What the policy needs to know beside the caller's options.
struct SandboxPlan {
    SandboxKind kind = SandboxKind::Run;
    Runtime runtime = Runtime::Python;
    QString image;
    bool isOwnImage = true; ///< Made by isol8: resolves `localhost` without Docker's help.
    QStringList imageVolumes; ///< Paths that the image declares as VOLUME.
    QString guestVolume;
    QString owner; ///< Owner::toString() of this process.
    QString session; ///< Id; empty: none.
    std::chrono::seconds
        linger {}; ///< For Spare, Session and Kept: how long the guest lives without a host.
};

/// The security of every sandbox, in one ordered list: what Docker is asked for, from the options
/// and nothing else. Kind::Invalid when a custom seccomp profile cannot be used.
[[nodiscard]] Result<docker::ContainerSpec> containerSpec(
    const ExecutionOptions& options, const SandboxPlan& plan);

} // namespace isol8
