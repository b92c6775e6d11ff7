// SPDX-License-Identifier: MIT
#include "app/cli/command.h"

#include <QCoreApplication>

namespace isol8::cli {

namespace {

QCoro::Task<> exitAfter(QCoro::Task<int> task)
{
    const int code = co_await task;
    // Queued, since the task may have ended before the event loop began.
    QMetaObject::invokeMethod(qApp, [code] { QCoreApplication::exit(code); }, Qt::QueuedConnection);
}

} // namespace

int runEventLoop(QCoro::Task<int> task)
{
    const auto waiting = exitAfter(std::move(task));
    return QCoreApplication::exec();
}

} // namespace isol8::cli
