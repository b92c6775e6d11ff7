// SPDX-License-Identifier: MIT
#include "engine/sandbox/sessionlock.h"

#include "engine/core/completion.h"

#include <QDir>
#include <QTimer>

namespace isol8 {

namespace {

using namespace Qt::StringLiterals;

/// A lock of another process is asked for again this often; there is no event for its release.
constexpr std::chrono::milliseconds retryInterval { 25 };

QString lockPath(const QString& stateDirectory, const QString& sessionId)
{
    return u"%1/sessions/%2.lock"_s.arg(stateDirectory, sessionId);
}

} // namespace

SessionLock::SessionLock(const QString& path)
    : m_file(path)
{
    // Staleness is decided by the owner's death alone, never by age.
    m_file.setStaleLockTime(0);
}

Task<std::shared_ptr<SessionLock>> SessionLock::acquire(
    QString stateDirectory, QString sessionId, CancelToken cancel)
{
    const auto path = lockPath(stateDirectory, sessionId);
    const auto folder = QFileInfo(path).path();
    if (!QDir().mkpath(folder))
        co_return failure(Kind::Denied, u"cannot make the folder %1"_s.arg(folder));
    const std::shared_ptr<SessionLock> lock(new SessionLock(path));
    while (!lock->m_file.tryLock(0)) {
        if (lock->m_file.error() != QLockFile::LockFailedError)
            co_return failure(Kind::Denied, u"cannot write the lock file %1"_s.arg(path));
        const Completion<> retry;
        QTimer timer;
        timer.setSingleShot(true);
        QObject::connect(&timer, &QTimer::timeout, &timer, [retry] { retry.deliver({}); });
        timer.start(retryInterval);
        const auto linked = cancel.onCancel([retry] { retry.fail(cancelled()); });
        const auto waited = co_await retry.wait();
        if (!waited)
            co_return std::unexpected(waited.error());
    }
    co_return lock;
}

bool SessionLock::isHeld(const QString& stateDirectory, const QString& sessionId)
{
    SessionLock lock(lockPath(stateDirectory, sessionId));
    if (!lock.m_file.tryLock(0))
        return lock.m_file.error() == QLockFile::LockFailedError;
    return false;
}

} // namespace isol8
