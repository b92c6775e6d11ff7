// SPDX-License-Identifier: MIT
#pragma once

/// Removing hostile trees: any depth, any mode, any number of entries, without recursion or memory.
/// Both return 0 or an errno. They act with the rights of the caller and change modes to get in.
namespace isol8::guest {

/// Removes everything in the directory @p fd, not the directory itself.
int emptyDirectory(int fd);

/// Removes @p name in the directory @p parent, with everything in it.
int removeTree(int parent, const char* name);

} // namespace isol8::guest
