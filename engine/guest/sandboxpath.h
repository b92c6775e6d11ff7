// SPDX-License-Identifier: MIT
#pragma once

#include "engine/guest/protocol.h"
#include "engine/guest/system.h"

#include <climits>

namespace isol8::guest {

/// A path below /sandbox as the host sent it. Everything is resolved by the kernel without leaving
/// /sandbox: a link or ".." that leads out fails with EXDEV.
class SandboxPath {
public:
    /// errno() is set when the bytes are no path.
    SandboxPath(const unsigned char* bytes, std::size_t size);

    [[nodiscard]] int error() const { return m_error; }

    /// Opens the path itself.
    [[nodiscard]] Descriptor open(int flags) const;
    /// Opens the directory that holds it; EINVAL when the path has no name of its own ("..",
    /// /sandbox).
    [[nodiscard]] Descriptor openParent() const;
    /// The same, making what is missing.
    [[nodiscard]] Descriptor makeParent() const;
    /// Its last component.
    [[nodiscard]] const char* name() const { return m_name; }

private:
    int m_error = 0;
    char m_path[PATH_MAX] = {};
    char m_parent[PATH_MAX] = {};
    const char* m_name = "";
};

} // namespace isol8::guest
