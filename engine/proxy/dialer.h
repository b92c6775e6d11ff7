// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/bytestream.h"
#include "engine/core/task.h"

#include <QHostAddress>

#include <memory>

namespace isol8::proxy {

/// Connects to the first of @p addresses that accepts, one after the other, all within @p timeout.
/// Kind::Timeout, Unreachable (with the last reason) or Cancelled.
[[nodiscard]] Task<std::shared_ptr<ByteStream>> dial(QList<QHostAddress> addresses, quint16 port,
    std::chrono::milliseconds timeout, CancelToken cancel);

} // namespace isol8::proxy
