// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/task.h"

#include <QString>

#include <memory>

namespace isol8 {

/// An exclusive lock on a file, held by this process and dropped by the kernel when it dies.
class FileLock {
public:
    /// Waits until it has the lock; @p waiting is called once when somebody else holds it.
    [[nodiscard]] static Task<std::shared_ptr<FileLock>> acquire(
        QString path, std::function<void()> waiting, CancelToken cancel);
    ~FileLock();
    Q_DISABLE_COPY_MOVE(FileLock)

private:
    explicit FileLock(int fd);
    int m_fd = -1;
};

/// A directory for temporary files that is removed with the object. A lock on it says that its
/// owner lives, so that others can remove it when that was killed.
class WorkDirectory {
public:
    /// Removes what dead processes of this user left below @p parent.
    static void removeAbandoned(const QString& parent);
    /// Below @p parent.
    [[nodiscard]] static Result<std::unique_ptr<WorkDirectory>> create(const QString& parent);
    ~WorkDirectory();
    Q_DISABLE_COPY_MOVE(WorkDirectory)

    [[nodiscard]] QString path() const { return m_path; }
    [[nodiscard]] QString filePath(const QString& name) const { return m_path + u'/' + name; }

private:
    WorkDirectory(QString path, int fd);
    QString m_path;
    int m_fd = -1;
};

} // namespace isol8
