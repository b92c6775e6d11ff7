// SPDX-License-Identifier: MIT
#pragma once

/// From root with a few capabilities to the program's user with none.
namespace isol8::guest {

/// Once at the start: nobody may look into this process, nothing is inherited, the bounding set is
/// empty, signals have their default action. False when something could not be had.
bool secureSelf();

/// In a child: no capability, the program's user and group for good, and no ptrace(2) unless @p
/// mayTrace. False: do not go on.
bool becomeProgramUser(bool mayTrace = false);

/// In a child: traced by its parent, the zygote's user, the program's group, and no capability but
/// that to become another user, which it keeps beyond execve(2). False: do not go on.
bool becomeZygoteUser();

/// Signals every process of the program's user, and no other, with SIGKILL.
void killAllOfProgramUser();

/// In a child that is still root: the kernel's out-of-memory killer shall choose it before
/// process 1.
enum class OomPreference { First, AfterPrograms };
void volunteerForOomKiller(OomPreference preference);

/// While it lives, what this process makes belongs to the program's user: a program can reopen only
/// pipes and terminals of its own (/dev/stdout).
class ProgramOwnership {
public:
    ProgramOwnership();
    ~ProgramOwnership();
    ProgramOwnership(const ProgramOwnership&) = delete;
    ProgramOwnership& operator=(const ProgramOwnership&) = delete;
};

} // namespace isol8::guest
