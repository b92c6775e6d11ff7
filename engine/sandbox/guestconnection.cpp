// SPDX-License-Identifier: MIT
#include "engine/sandbox/guestconnection.h"

#include "engine/core/escape.h"
#include "engine/sandbox/directsocket.h"
#include "engine/sandbox/guestoperation.h"
#include "engine/sandbox/guestrunprivate.h"

namespace isol8 {

namespace {

using namespace Qt::StringLiterals;
using guest::Type;

using LinkPointer = std::shared_ptr<GuestLink>;

QByteArray u32(quint32 value)
{
    QByteArray bytes(4, Qt::Uninitialized);
    guest::storeU32(reinterpret_cast<unsigned char*>(bytes.data()), value);
    return bytes;
}

QByteArray u64(quint64 value)
{
    QByteArray bytes(8, Qt::Uninitialized);
    guest::storeU64(reinterpret_cast<unsigned char*>(bytes.data()), value);
    return bytes;
}

QString shown(const QByteArray& path)
{
    return printable(QString::fromUtf8(path));
}

bool isPossible(const QByteArray& path)
{
    return !path.isEmpty() && path.size() <= static_cast<qsizetype>(guest::maxPathBytes)
        && !path.contains('\0');
}

Task<> open(LinkPointer link, bool mayHaveHistory, bool isLeased, CancelToken cancel)
{
    const Completion<> opened;
    // A conversation that was broken off in its first sentence cannot be used any more.
    const auto registration = cancel.onCancel([link] { link->fail(cancelled()); });
    link->greet(mayHaveHistory, isLeased, opened);
    const auto result = co_await opened.wait();
    co_return result;
}

Task<GuestFileAnswer> doPathJob(
    LinkPointer link, QByteArrayList paths, GuestFileJob job, CancelToken cancel)
{
    for (const auto& path : paths) {
        if (!isPossible(path))
            co_return failure(Kind::Invalid, u"%1: not a path"_s.arg(shown(path.left(200))));
    }
    job.what = shown(paths.constFirst());
    auto answer = co_await doFileJob(std::move(link), std::move(job), cancel);
    co_return answer;
}

Task<> doPlainJob(LinkPointer link, QByteArrayList paths, GuestFileJob job, CancelToken cancel)
{
    const auto answer
        = co_await doPathJob(std::move(link), std::move(paths), std::move(job), cancel);
    if (!answer)
        co_return std::unexpected(answer.error());
    co_return Result<> {};
}

Task<QByteArray> fetch(
    LinkPointer link, QByteArray path, qint64 maxBytes, CancelToken cancel, GuestProgress progress)
{
    GuestFileJob job { .type = Type::FileGet,
        .request = u64(static_cast<quint64>(maxBytes)) + path,
        .maxBytes = maxBytes,
        .progress = std::move(progress) };
    auto answer = co_await doPathJob(std::move(link), { path }, std::move(job), cancel);
    if (!answer)
        co_return std::unexpected(answer.error());
    co_return std::move(answer->content);
}

Task<QList<FileEntry>> list(LinkPointer link, QByteArray path, CancelToken cancel)
{
    GuestFileJob job { .type = Type::FileList, .request = path };
    auto answer = co_await doPathJob(std::move(link), { path }, std::move(job), cancel);
    if (!answer)
        co_return std::unexpected(answer.error());
    co_return std::move(answer->entries);
}

Task<FileEntry> stat(LinkPointer link, QByteArray path, CancelToken cancel)
{
    GuestFileJob job { .type = Type::FileStat, .request = path };
    auto answer = co_await doPathJob(std::move(link), { path }, std::move(job), cancel);
    if (!answer)
        co_return std::unexpected(answer.error());
    FileEntry entry = answer->entries.constFirst();
    entry.name = QString::fromUtf8(path.sliced(path.lastIndexOf('/') + 1));
    co_return entry;
}

} // namespace

struct GuestConnection::Private {
    LinkPointer link;
};

GuestConnection::GuestConnection(
    std::unique_ptr<GuestTransport> transport, const GuestLimits& limits)
    : d(std::make_unique<Private>(std::make_shared<GuestLink>(std::move(transport), limits)))
{
    connect(d->link.get(), &GuestLink::failed, this, &GuestConnection::failed);
}

GuestConnection::~GuestConnection()
{
    d->link->disconnect(this);
    d->link->fail({ Kind::Cancelled, u"the connection to the sandbox was closed"_s });
}

void GuestConnection::offer(std::unique_ptr<DirectSocket> socket)
{
    d->link->offer(std::move(socket));
}

Task<> GuestConnection::open(bool mayHaveHistory, bool isLeased, CancelToken cancel)
{
    return isol8::open(d->link, mayHaveHistory, isLeased, std::move(cancel));
}

bool GuestConnection::isOpen() const
{
    return d->link->isOpen();
}

bool GuestConnection::isDirect() const
{
    return d->link->isDirect();
}

int GuestConnection::cgroupVersion() const
{
    return d->link->cgroupVersion();
}

std::unique_ptr<GuestRun> GuestConnection::startRun(const GuestRunSpec& spec)
{
    auto run = std::unique_ptr<GuestRun>(new GuestRun(this));
    run->d->start(d->link, spec);
    return run;
}

Task<> GuestConnection::putFile(
    QByteArray path, QByteArray content, int mode, CancelToken cancel, GuestProgress progress)
{
    GuestFileJob job { .type = Type::FilePut,
        .request
        = u32(static_cast<quint32>(mode)) + u64(static_cast<quint64>(content.size())) + path,
        .content = std::move(content),
        .progress = std::move(progress) };
    return doPlainJob(d->link, { path }, std::move(job), std::move(cancel));
}

Task<QByteArray> GuestConnection::fetchFile(
    QByteArray path, qint64 maxBytes, CancelToken cancel, GuestProgress progress)
{
    return fetch(d->link, std::move(path), std::max<qint64>(0, maxBytes), std::move(cancel),
        std::move(progress));
}

Task<QList<FileEntry>> GuestConnection::listDirectory(QByteArray path, CancelToken cancel)
{
    return list(d->link, std::move(path), std::move(cancel));
}

Task<FileEntry> GuestConnection::statFile(QByteArray path, CancelToken cancel)
{
    return stat(d->link, std::move(path), std::move(cancel));
}

Task<> GuestConnection::makeDirectory(QByteArray path, int mode, CancelToken cancel)
{
    GuestFileJob job { .type = Type::FileMakeDirectory,
        .request = u32(static_cast<quint32>(mode)) + path };
    return doPlainJob(d->link, { path }, std::move(job), std::move(cancel));
}

Task<> GuestConnection::renameFile(QByteArray from, QByteArray to, CancelToken cancel)
{
    GuestFileJob job { .type = Type::FileRename,
        .request = u32(static_cast<quint32>(from.size())) + from + to };
    return doPlainJob(d->link, { from, to }, std::move(job), std::move(cancel));
}

Task<> GuestConnection::removeFile(QByteArray path, CancelToken cancel)
{
    GuestFileJob job { .type = Type::FileRemove, .request = path };
    return doPlainJob(d->link, { path }, std::move(job), std::move(cancel));
}

Task<> GuestConnection::ping(std::chrono::milliseconds limit, CancelToken cancel)
{
    return doPing(d->link, limit, std::move(cancel));
}

Task<qint64> GuestConnection::prestart(
    GuestRunSpec spec, QByteArray path, bool isRepeated, CancelToken cancel)
{
    return doPrestart(d->link, encodedRunSpec(spec),
        u32(isRepeated ? quint32 { guest::KeepZygote } : 0) + path, std::move(cancel));
}

Task<> GuestConnection::scrub(CancelToken cancel)
{
    return doScrub(d->link, std::move(cancel));
}

void GuestConnection::shutdown()
{
    d->link->send(Type::Shutdown, 0);
}

} // namespace isol8
