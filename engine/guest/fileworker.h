// SPDX-License-Identifier: MIT
#pragma once

namespace isol8::guest {

/// In a child: becomes the program's user and does file operations, one after the other, as they
/// come over @p socket (SOCK_SEQPACKET, one frame a packet), until its other end is closed.
[[noreturn]] void serveFiles(int socket);

} // namespace isol8::guest
