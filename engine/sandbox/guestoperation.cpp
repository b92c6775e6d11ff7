// SPDX-License-Identifier: MIT
#include "engine/sandbox/guestoperation.h"

#include "engine/core/escape.h"
#include "engine/core/largebuffer.h"

#include <QTimeZone>

#include <cerrno>
#include <cstring>
#include <limits>

namespace isol8 {

namespace {

using namespace Qt::StringLiterals;
using guest::Type;

constexpr qsizetype maxEntries = 100'000;
constexpr qint64 maxNameBytes = 16LL << 20;
constexpr qsizetype maxTextBytes = 512;
constexpr qint64 maxPlausibleTime = 1LL << 40;
constexpr int maxTries = 4;
/// Of what a guest says about a file's size: so much room is made before anything has come.
constexpr qint64 maxBelievedBytes = 64LL << 20;

Error protocolError(const QString& what)
{
    return { Kind::Protocol, u"the sandbox's guest sent %1"_s.arg(what) };
}

Kind kindOf(quint32 number)
{
    switch (number) {
    case ECANCELED:
        return Kind::Cancelled;
    case ENOENT:
        return Kind::NotFound;
    case EACCES:
    case EPERM:
    case EROFS:
    case EXDEV: // a link that leads out of /sandbox
    case ELOOP:
        return Kind::Denied;
    case EEXIST:
    case ENOTDIR:
    case EISDIR:
    case ENOTEMPTY:
    case EBUSY:
        return Kind::Conflict;
    case ENOSPC:
    case EFBIG:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EAGAIN:
        return Kind::Limit;
    case EINVAL:
    case ENAMETOOLONG:
        return Kind::Invalid;
    default:
        return Kind::Internal;
    }
}

QString reasonText(quint32 number)
{
    switch (number) {
    case EXDEV:
        return u"leads out of /sandbox"_s;
    case EFBIG:
        return u"is too large"_s;
    default:
        return QString::fromLocal8Bit(std::strerror(static_cast<int>(number)));
    }
}

/// One try of a job or a scrub. Kept by the coroutine that waits for it.
class GuestOperation final : public QObject, public GuestReceiver {
public:
    GuestOperation(std::shared_ptr<GuestLink> link, GuestFileJob job)
        : m_link(std::move(link))
        , m_job(std::move(job))
        , m_id(m_link->takeId())
    {
        m_inactivity.setSingleShot(true);
        connect(&m_inactivity, &QTimer::timeout, this, [this] {
            const auto link = m_link;
            link->fail(
                { Kind::Timeout, u"the sandbox's guest does not finish %1"_s.arg(m_job.what) });
        });
    }
    ~GuestOperation() override { m_link->forget(m_id); }

    void start()
    {
        if (!m_link->isOpen()) {
            m_done.fail(m_link->reason());
            return;
        }
        m_link->expect(m_id, this);
        restartLimit();
        if (m_job.type == Type::Prestart)
            sendPieces(Type::Spec);
        m_link->send(m_job.type, m_id, m_job.request);
        if (m_job.type == Type::FilePut)
            sendContent();
    }

    void abort()
    {
        if (m_done.isDelivered())
            return;
        if (m_job.type >= Type::FilePut && m_job.type < Type::Done)
            m_link->send(Type::FileAbort, m_id);
        finish(std::unexpected(cancelled()));
    }

    [[nodiscard]] auto wait() const { return m_done.wait(); }
    [[nodiscard]] quint32 guestErrno() const { return m_errno; }

    Result<> receive(const guest::Header& header, const QByteArray& payload) override
    {
        restartLimit();
        guest::Reader reader(reinterpret_cast<const unsigned char*>(payload.constData()),
            static_cast<std::size_t>(payload.size()));
        switch (header.type) {
        case Type::Credit:
            return takeCredit(header.stream, reader);
        case Type::FileStat:
            if (m_job.type != Type::FileGet && m_job.type != Type::FileStat)
                break;
            return takeEntry(reader, /*isNamed=*/false);
        case Type::FileEntry:
            if (m_job.type != Type::FileList)
                break;
            return takeEntry(reader, /*isNamed=*/true);
        case Type::FileData:
            if (m_job.type != Type::FileGet)
                break;
            return takeContent(payload);
        case Type::Pong:
            if (m_job.type != Type::Ping)
                break;
            finish(std::move(m_answer));
            return {};
        case Type::Done:
        case Type::Scrubbed:
        case Type::Prestarted:
            if (m_job.type == Type::Ping
                || (header.type == Type::Scrubbed) != (m_job.type == Type::Scrub)
                || (header.type == Type::Prestarted) != (m_job.type == Type::Prestart))
                break;
            return takeVerdict(reader);
        default:
            break;
        }
        return std::unexpected(protocolError(u"a frame that does not belong to its operation"_s));
    }

    void lose(const Error& error) override { finish(std::unexpected(error)); }

private:
    void restartLimit()
    {
        m_inactivity.start(m_job.limit.count() > 0 ? m_job.limit : m_link->limits().inactivity);
    }

    void finish(Result<GuestFileAnswer> result)
    {
        m_inactivity.stop();
        m_link->forget(m_id);
        m_done.deliver(std::move(result)); // may destroy this
    }

    void sendContent()
    {
        while (m_credit > 0 && m_sent < m_job.content.size()) {
            const qsizetype size = std::min<qsizetype>({ m_job.content.size() - m_sent, m_credit,
                static_cast<qsizetype>(guest::maxPayloadBytes) });
            m_link->send(Type::FileData, m_id, QByteArrayView(m_job.content).mid(m_sent, size));
            m_sent += size;
            m_credit -= static_cast<quint32>(size);
        }
        if (m_isEndSent)
            return;
        if (m_sent == m_job.content.size()) {
            m_isEndSent = true;
            m_link->send(Type::FileEnd, m_id);
        }
        // What was acknowledged went over. Last, since whoever hears it may cancel: this is gone
        // then.
        if (const auto progress = m_job.progress)
            progress(m_sent - (guest::fileWindowBytes - m_credit), m_job.content.size());
    }

    void sendPieces(Type type)
    {
        constexpr qsizetype pieceBytes = guest::maxPayloadBytes;
        for (qsizetype at = 0; at < m_job.content.size(); at += pieceBytes)
            m_link->send(type, m_id,
                QByteArrayView(m_job.content)
                    .mid(at, std::min(pieceBytes, m_job.content.size() - at)));
    }

    Result<> takeCredit(guest::Stream stream, guest::Reader reader)
    {
        const quint32 bytes = reader.u32();
        if (m_job.type != Type::FilePut || !reader.isValid() || stream != guest::Stream::File
            || bytes > guest::fileWindowBytes - m_credit)
            return std::unexpected(protocolError(u"credit for more than it was sent"_s));
        m_credit += bytes;
        sendContent();
        return {};
    }

    Result<> takeEntry(guest::Reader reader, bool isNamed)
    {
        const auto kind = static_cast<char>(reader.u8());
        FileEntry entry;
        entry.mode = static_cast<int>(reader.u32() & 07777);
        entry.sizeBytes = static_cast<qint64>(reader.u64());
        const auto seconds = static_cast<qint64>(reader.u64());
        entry.modified = QDateTime::fromSecsSinceEpoch(
            qBound(-maxPlausibleTime, seconds, maxPlausibleTime), QTimeZone::UTC);
        const std::size_t length = reader.left();
        const QByteArray name(
            reinterpret_cast<const char*>(reader.bytes(length)), static_cast<qsizetype>(length));
        entry.name = QString::fromUtf8(name);
        switch (kind) {
        case 'f':
            entry.type = FileEntry::Type::File;
            break;
        case 'd':
            entry.type = FileEntry::Type::Directory;
            break;
        case 'l':
            entry.type = FileEntry::Type::Link;
            break;
        case 'o':
            entry.type = FileEntry::Type::Other;
            break;
        default:
            return std::unexpected(protocolError(u"an impossible file entry"_s));
        }
        const bool isNameGood = isNamed ? !name.isEmpty() && name.size() <= 255
                && !name.contains('/') && !name.contains('\0') && name != "." && name != ".."
                                        : name.isEmpty();
        if (!reader.isValid() || entry.sizeBytes < 0 || !isNameGood)
            return std::unexpected(protocolError(u"an impossible file entry"_s));
        m_nameBytes += name.size();
        if (!isNamed && !m_answer.entries.isEmpty())
            return std::unexpected(protocolError(u"a file's state twice"_s));
        if (m_answer.entries.size() == maxEntries || m_nameBytes > maxNameBytes) {
            m_link->send(Type::FileAbort, m_id);
            finish(failure(
                Kind::Limit, u"%1: more than %2 entries"_s.arg(m_job.what).arg(maxEntries)));
            return {};
        }
        m_answer.entries.append(entry);
        if (m_job.type == Type::FileGet)
            reserveLarge(
                m_answer.content, std::min({ entry.sizeBytes, m_job.maxBytes, maxBelievedBytes }));
        return {};
    }

    Result<> takeContent(const QByteArray& payload)
    {
        const auto size = static_cast<quint32>(payload.size());
        if (m_answer.content.size() + payload.size() > m_job.maxBytes)
            return std::unexpected(protocolError(u"more of a file than was asked for"_s));
        if (size > guest::fileWindowBytes - m_unacknowledged)
            return std::unexpected(protocolError(u"more of a file than it may"_s));
        appendLarge(m_answer.content, payload);
        m_unacknowledged += size;
        if (m_unacknowledged >= guest::fileWindowBytes / 4)
            m_link->sendU32(
                Type::Credit, m_id, std::exchange(m_unacknowledged, 0), guest::Stream::File);
        const auto progress = m_job.progress;
        if (progress && !m_answer.entries.isEmpty()) // Last: it may cancel, and this is gone then.
            progress(m_answer.content.size(), m_answer.entries.constFirst().sizeBytes);
        return {};
    }

    Result<> takeVerdict(guest::Reader reader)
    {
        m_errno = reader.u32();
        if (m_job.type == Type::Prestart && m_errno == 0)
            m_answer.usedBytes = static_cast<qint64>(
                std::min<quint64>(reader.u64(), std::numeric_limits<qint64>::max()));
        const std::size_t length = std::min<std::size_t>(reader.left(), maxTextBytes);
        const auto* text = reinterpret_cast<const char*>(reader.bytes(length));
        if (!reader.isValid() || m_errno >= 4096)
            return std::unexpected(protocolError(u"an impossible verdict"_s));
        const bool isStatMissing = m_answer.entries.isEmpty()
            && (m_job.type == Type::FileStat || m_job.type == Type::FileGet);
        if (m_errno == 0 && (isStatMissing || (m_job.type == Type::FilePut && !m_isEndSent)))
            return std::unexpected(protocolError(u"success too early"_s));
        if (m_errno == 0) {
            finish(std::move(m_answer));
            return {};
        }
        const bool isWordless = m_job.type == Type::Prestart; // only numbers follow there
        auto error = guestFailure(m_job.what, m_errno,
            isWordless ? QString() : QString::fromUtf8(text, static_cast<qsizetype>(length)));
        if (m_job.type == Type::Scrub)
            error.kind = Kind::Internal;
        finish(std::unexpected(error));
        return {};
    }

    std::shared_ptr<GuestLink> m_link;
    GuestFileJob m_job;
    quint32 m_id;
    quint32 m_errno = 0;
    Completion<GuestFileAnswer> m_done;
    QTimer m_inactivity;

    qsizetype m_sent = 0;
    quint32 m_credit = guest::fileWindowBytes;
    bool m_isEndSent = false;
    GuestFileAnswer m_answer;
    quint32 m_unacknowledged = 0;
    qint64 m_nameBytes = 0;
};

} // namespace

Error guestFailure(const QString& what, quint32 number, const QString& text)
{
    return { kindOf(number),
        what + u": "_s + (text.isEmpty() ? reasonText(number) : printable(text)) };
}

Task<GuestFileAnswer> doFileJob(
    std::shared_ptr<GuestLink> link, GuestFileJob job, CancelToken cancel)
{
    if (cancel.isCancelled())
        co_return std::unexpected(cancelled());
    const auto place = link->takePlace();
    const auto granted = co_await place.wait();
    if (!granted)
        co_return std::unexpected(granted.error());

    Result<GuestFileAnswer> answer = std::unexpected(cancelled());
    for (int tries = 0; tries < maxTries && !cancel.isCancelled(); ++tries) {
        const auto operation = std::make_shared<GuestOperation>(link, job);
        const auto registration = cancel.onCancel([operation] { operation->abort(); });
        operation->start();
        answer = co_await operation->wait();
        if (operation->guestErrno() != EINTR)
            break;
    }
    link->givePlace();
    co_return answer;
}

Task<> doScrub(std::shared_ptr<GuestLink> link, CancelToken cancel)
{
    const auto operation = std::make_shared<GuestOperation>(
        link, GuestFileJob { .type = Type::Scrub, .what = u"cleaning the sandbox"_s });
    const auto registration = cancel.onCancel([operation] { operation->abort(); });
    operation->start();
    const auto answer = co_await operation->wait();
    if (!answer)
        co_return std::unexpected(answer.error());
    co_return Result<> {};
}

Task<> doPing(std::shared_ptr<GuestLink> link, std::chrono::milliseconds limit, CancelToken cancel)
{
    const auto operation = std::make_shared<GuestOperation>(
        link, GuestFileJob { .type = Type::Ping, .what = u"answering"_s, .limit = limit });
    const auto registration = cancel.onCancel([operation] { operation->abort(); });
    operation->start();
    const auto answer = co_await operation->wait();
    if (!answer)
        co_return std::unexpected(answer.error());
    co_return Result<> {};
}

Task<qint64> doPrestart(
    std::shared_ptr<GuestLink> link, QByteArray spec, QByteArray request, CancelToken cancel)
{
    const auto operation = std::make_shared<GuestOperation>(link,
        GuestFileJob { .type = Type::Prestart,
            .request = std::move(request),
            .what = u"starting an interpreter ahead"_s,
            .content = std::move(spec) });
    const auto registration = cancel.onCancel([operation] { operation->abort(); });
    operation->start();
    const auto answer = co_await operation->wait();
    if (!answer)
        co_return std::unexpected(answer.error());
    co_return answer->usedBytes;
}

} // namespace isol8
