// SPDX-License-Identifier: MIT
#pragma once

#include <QByteArray>

namespace isol8 {

/// Appends to a buffer that may become many megabytes. QByteArray::append() copies everything each
/// time it grows; this lets the system move the pages, and asks for large ones, since the first use
/// of a page can cost more than filling it.
void appendLarge(QByteArray& buffer, QByteArrayView bytes);

/// Makes room for so many bytes in all, likewise; memory is only taken when it is used.
void reserveLarge(QByteArray& buffer, qsizetype bytes);

} // namespace isol8
