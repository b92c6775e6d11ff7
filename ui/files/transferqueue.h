// SPDX-License-Identifier: MIT
#pragma once

#include "ui/files/sessionplace.h"

#include <QObject>

#include <deque>

namespace isol8::ui {

/// Files on their way between this machine and a session, one after the other. One that fails does
/// not hold up the rest.
class TransferQueue : public QObject {
    Q_OBJECT

public:
    explicit TransferQueue(QObject* parent);
    ~TransferQueue() override;

    /// A file, or a folder with all in it, of this machine into the session's @p folder.
    void upload(const SessionPlace& place, const QString& localPath, const QString& folder);
    /// A file of the session, or a folder with all in it, into @p localFolder. What is there
    /// already stays: the new one gets another name.
    void download(
        const SessionPlace& place, const QString& path, bool isFolder, const QString& localFolder);
    void cancelAll();

    [[nodiscard]] bool isBusy() const { return m_isWorking; }

Q_SIGNALS:
    /// @p totalBytes 0: not known.
    void progressed(const QString& name, qint64 doneBytes, qint64 totalBytes, int filesLeft);
    void failed(const QString& sentence);
    /// Nothing is left to do; @p files went over.
    void finished(int files);

private:
    struct Job {
        enum class Kind { Put, MakeFolder, Get, List } kind = Kind::Put;
        SessionPlace place;
        QString path; ///< In the session.
        QString localPath;
    };

    void add(const Job& job);
    void next();
    void put(const Job& job);
    void makeFolder(const Job& job);
    void get(const Job& job);
    void list(const Job& job);
    void store(const Job& job, const QByteArray& content);
    void end(const Job& job, const Result<>& result);
    [[nodiscard]] Transfer watched(const Job& job);

    std::deque<Job> m_jobs;
    CancelToken m_cancel;
    bool m_isWorking = false;
    int m_done = 0;
};

/// @p name in @p folder, changed where something of that name is there: `a (2).txt`.
[[nodiscard]] QString freePath(const QString& folder, const QString& name);

} // namespace isol8::ui
