// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/completion.h"

#include <QFutureWatcher>
#include <QTimer>
#include <QtConcurrentRun>

namespace isol8 {

/// Runs @p work, which may block (on a disk), on a thread of @p pool, and waits for it: at most for
/// @p limit (Kind::Timeout) and until @p cancel. Work that is not waited for any more still goes on
/// to its end; its result is dropped.
template <typename T>
Task<T> inBackground(std::shared_ptr<QThreadPool> pool, std::function<Result<T>()> work,
    std::chrono::milliseconds limit, CancelToken cancel)
{
    const Completion<T> done;
    // Deleted later: the coroutine may come to its end within a signal of theirs.
    const std::unique_ptr<QFutureWatcher<Result<T>>, QScopedPointerDeleteLater> watcher(
        new QFutureWatcher<Result<T>>);
    const std::unique_ptr<QTimer, QScopedPointerDeleteLater> timer(new QTimer);
    QObject::connect(watcher.get(), &QFutureWatcherBase::finished, watcher.get(),
        [done, raw = watcher.get()] { done.deliver(raw->result()); });
    QObject::connect(timer.get(), &QTimer::timeout, timer.get(), [done] {
        done.fail({ Kind::Timeout, QStringLiteral("the disk does not answer in time") });
    });
    const auto registration = cancel.onCancel([done] { done.fail(cancelled()); });
    watcher->setFuture(QtConcurrent::run(pool.get(), std::move(work)));
    timer->setSingleShot(true);
    timer->start(limit);
    auto result = co_await done.wait();
    timer->stop();
    watcher->disconnect();
    co_return result;
}

} // namespace isol8
