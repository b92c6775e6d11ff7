// SPDX-License-Identifier: MIT
#include "app/serve/underway.h"

#include <QCoreApplication>

namespace isol8::serve {

void Underway::end()
{
    if (--m_count > 0)
        return;
    const auto waiters = std::exchange(m_waiters, {});
    for (const auto& waiter : waiters) {
        QMetaObject::invokeMethod(
            QCoreApplication::instance(), [waiter] { waiter.deliver({}); }, Qt::QueuedConnection);
    }
}

void Underway::whenNone(const Completion<>& completion)
{
    if (m_count == 0)
        completion.deliver({});
    else
        m_waiters.push_back(completion);
}

} // namespace isol8::serve
