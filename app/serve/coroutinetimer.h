// SPDX-License-Identifier: MIT
#pragma once

#include <QTimer>

#include <memory>

namespace isol8::serve {

struct StopAndDeleteLater {
    void operator()(QTimer* timer) const
    {
        timer->stop();
        timer->deleteLater();
    }
};

/// A timer of a coroutine that its time-out may resume, and so bring to its end: it is then deleted
/// after its own signal.
using CoroutineTimer = std::unique_ptr<QTimer, StopAndDeleteLater>;

} // namespace isol8::serve
