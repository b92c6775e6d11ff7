// SPDX-License-Identifier: MIT
#pragma once

#include <QByteArray>
#include <QString>

namespace isol8 {

/// The isol8-guest program, static for this machine's processor. Not copied.
[[nodiscard]] QByteArray guestBinary();

/// First 16 hexadecimal digits of its SHA-256.
[[nodiscard]] QString guestHash();

} // namespace isol8
