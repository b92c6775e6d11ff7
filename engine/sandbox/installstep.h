// SPDX-License-Identifier: MIT
#pragma once

#include "engine/sandbox/runcontext.h"
#include "engine/sandbox/sandboxsource.h"

namespace isol8 {

/// Before there is a sandbox: checks the names of the packages, and where the request leaves the
/// image open picks one that has them, so that nothing is left to install. Kind::Invalid, saying
/// what would help, when something is left to install and the run has no network.
[[nodiscard]] Task<> prepareInstall(std::shared_ptr<RunContext> context);

/// Installs what is left, as the sandbox's user and with nothing but the hosts of the package
/// manager and those that the user allows. False: the run's result says why that failed.
[[nodiscard]] Task<bool> installPackages(
    std::shared_ptr<RunContext> context, AcquiredSandbox acquired);

} // namespace isol8
