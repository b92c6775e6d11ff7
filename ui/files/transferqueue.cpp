// SPDX-License-Identifier: MIT
#include "ui/files/transferqueue.h"

#include "engine/core/escape.h"
#include "engine/core/smallfile.h"
#include "engine/files/directoryreader.h"
#include "ui/run/runsentences.h"

#include <QCoroTask>
#include <QDir>
#include <QFileInfo>
#include <QPointer>
#include <QSaveFile>

namespace isol8::ui {

using namespace Qt::StringLiterals;

namespace {

constexpr qint64 maxFileBytes = 256LL << 20;
constexpr size_t maxJobs = 20'000;

QString nameOf(const QString& path)
{
    return path.section(u'/', -1);
}

/// Whether a name stays in the folder that it is put into.
bool isPlainName(const QString& name)
{
    return !name.isEmpty() && name != u"."_s && name != u".."_s && !name.contains(u'/')
        && !name.contains(QChar::Null);
}

} // namespace

QString freePath(const QString& folder, const QString& name)
{
    const QDir directory(folder);
    const auto isTaken = [&directory](const QString& candidate) {
        const QFileInfo info(directory.filePath(candidate));
        return info.exists() || info.isSymLink();
    };
    if (!isTaken(name))
        return directory.filePath(name);
    const auto mark = name.lastIndexOf(u'.');
    const auto stem = mark > 0 ? name.left(mark) : name;
    const auto suffix = mark > 0 ? name.mid(mark) : QString();
    for (int number = 2;; ++number) {
        const auto candidate = u"%1 (%2)%3"_s.arg(stem).arg(number).arg(suffix);
        if (!isTaken(candidate))
            return directory.filePath(candidate);
    }
}

TransferQueue::TransferQueue(QObject* parent)
    : QObject(parent)
{
}

TransferQueue::~TransferQueue()
{
    m_cancel.cancel();
}

void TransferQueue::upload(
    const SessionPlace& place, const QString& localPath, const QString& folder)
{
    const QFileInfo info(localPath);
    const auto target = folder + u'/' + info.fileName();
    if (!info.isDir()) {
        add({ Job::Kind::Put, place, target, localPath });
        return;
    }
    const auto listing = readDirectory(localPath);
    if (!listing) {
        Q_EMIT failed(failureSentence(listing.error()));
        return;
    }
    add({ Job::Kind::MakeFolder, place, target, {} });
    for (const auto& entry : listing->entries)
        add({ entry.isDirectory ? Job::Kind::MakeFolder : Job::Kind::Put, place,
            target + u'/' + entry.path, entry.sourcePath });
}

void TransferQueue::download(
    const SessionPlace& place, const QString& path, bool isFolder, const QString& localFolder)
{
    const auto local = freePath(localFolder, nameOf(path));
    add({ isFolder ? Job::Kind::List : Job::Kind::Get, place, path, local });
}

void TransferQueue::add(const Job& job)
{
    if (m_jobs.size() >= maxJobs) {
        Q_EMIT failed(tr("Too many files at once"));
        return;
    }
    m_jobs.push_back(job);
    if (!m_isWorking)
        next();
}

void TransferQueue::cancelAll()
{
    m_jobs.clear();
    m_cancel.cancel();
    m_cancel = {};
}

void TransferQueue::next()
{
    m_isWorking = !m_jobs.empty();
    if (!m_isWorking) {
        Q_EMIT finished(std::exchange(m_done, 0));
        return;
    }
    const auto job = m_jobs.front();
    m_jobs.pop_front();
    Q_EMIT progressed(printable(nameOf(job.path)), 0, 0, int(m_jobs.size()) + 1);
    switch (job.kind) {
    case Job::Kind::Put:
        put(job);
        break;
    case Job::Kind::MakeFolder:
        makeFolder(job);
        break;
    case Job::Kind::Get:
        get(job);
        break;
    case Job::Kind::List:
        list(job);
        break;
    }
}

Transfer TransferQueue::watched(const Job& job)
{
    return { m_cancel,
        [self = QPointer(this), name = printable(nameOf(job.path))](qint64 done, qint64 total) {
            if (self)
                Q_EMIT self->progressed(name, done, total, int(self->m_jobs.size()) + 1);
        } };
}

void TransferQueue::put(const Job& job)
{
    auto content = readSmallFile(job.localPath, maxFileBytes);
    if (!content) {
        end(job, std::unexpected(content.error()));
        return;
    }
    QCoro::connect(
        job.place.engine->putFile(job.place.sessionId, job.path, std::move(*content), watched(job)),
        this, [this, job](const Result<>& result) { end(job, result); });
}

void TransferQueue::makeFolder(const Job& job)
{
    QCoro::connect(job.place.engine->makeDirectory(job.place.sessionId, job.path), this,
        [this, job](const Result<>& result) { end(job, result); });
}

void TransferQueue::get(const Job& job)
{
    QCoro::connect(job.place.engine->fetchFile(job.place.sessionId, job.path, watched(job)), this,
        [this, job](const Result<QByteArray>& content) {
            if (content)
                store(job, *content);
            else
                end(job, std::unexpected(content.error()));
        });
}

void TransferQueue::store(const Job& job, const QByteArray& content)
{
    QSaveFile file(job.localPath);
    if (file.open(QIODevice::WriteOnly) && file.write(content) == content.size() && file.commit())
        end(job, {});
    else
        end(job,
            failure(Kind::Limit,
                tr("%1 cannot be written: %2").arg(job.localPath, file.errorString())));
}

/// A folder: made here, and its content is next. Links are left out: they lead anywhere.
void TransferQueue::list(const Job& job)
{
    QCoro::connect(job.place.engine->listFiles(job.place.sessionId, job.path), this,
        [this, job](const Result<QList<FileEntry>>& entries) {
            if (!entries) {
                end(job, std::unexpected(entries.error()));
                return;
            }
            if (!QDir().mkpath(job.localPath)) {
                end(job, failure(Kind::Denied, tr("%1 cannot be made").arg(job.localPath)));
                return;
            }
            for (const auto& entry : *entries) {
                if (!isPlainName(entry.name)) // A server's word is not trusted with our paths.
                    continue;
                const bool isFolder = entry.type == FileEntry::Type::Directory;
                if (isFolder || entry.type == FileEntry::Type::File)
                    add({ isFolder ? Job::Kind::List : Job::Kind::Get, job.place,
                        job.path + u'/' + entry.name, job.localPath + u'/' + entry.name });
            }
            end(job, {});
        });
}

void TransferQueue::end(const Job& job, const Result<>& result)
{
    const bool isFile = job.kind == Job::Kind::Put || job.kind == Job::Kind::Get;
    if (result && isFile)
        ++m_done;
    if (!result && result.error().kind != Kind::Cancelled)
        Q_EMIT failed(failureSentence(result.error().within(printable(nameOf(job.path)))));
    // Queued: what fails at once a thousand times is no thousand calls deep.
    QMetaObject::invokeMethod(this, &TransferQueue::next, Qt::QueuedConnection);
}

} // namespace isol8::ui
