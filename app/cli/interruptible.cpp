// SPDX-License-Identifier: MIT
#include "app/cli/interruptible.h"

#include <csignal>
#include <cstdlib>

namespace isol8::cli {

Interruptible::Interruptible()
    : m_signals({ SIGINT, SIGTERM, SIGHUP, SIGQUIT })
{
    QObject::connect(&m_signals, &SignalWatcher::received, &m_signals, [this](int number) {
        if (m_exitCode)
            std::_Exit(128 + number);
        m_exitCode = 128 + number;
        m_token.cancel();
    });
}

} // namespace isol8::cli
