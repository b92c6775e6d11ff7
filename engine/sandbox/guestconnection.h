// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/bytestream.h"
#include "engine/core/execution.h"
#include "engine/core/task.h"
#include "engine/guest/protocol.h"

#include <QObject>

#include <functional>
#include <memory>

namespace isol8 {

/// What a GuestConnection talks over: Docker's attached stream, a direct socket, or a pipe in
/// tests.
class GuestTransport : public QObject {
    Q_OBJECT

public:
    virtual void write(const QByteArray& bytes) = 0;
    [[nodiscard]] virtual qint64 pendingBytes() const = 0;
    virtual void setReading(bool isReading) = 0;
    virtual void close() = 0;

Q_SIGNALS:
    void received(const QByteArray& bytes);
    void written();
    void closed(const isol8::Error& reason);

protected:
    using QObject::QObject;
};

/// What the guest is asked to run; encoded as protocol.h's RunSpec.
struct GuestRunSpec {
    QByteArrayList arguments; ///< arguments[0] is looked up in the environment's PATH.
    QByteArrayList environment; ///< NAME=value.
    QByteArray workingDirectory;
    bool hasTerminal = false;
    int rows = 24;
    int columns = 80;
    bool isStdinOpen = false;
    bool areConnectionsCarried = false; ///< Those to guest::carriedPort, to GuestRun's owner.
    QByteArray scriptPath; ///< A file that is put right before the start; empty: none.
    QByteArray script; ///< Its content, at most guest::fileWindowBytes.
    bool isUsageReported = false;
    bool mayTrace = false; ///< ptrace(2) is left to the container's own filter of system calls.
    std::chrono::milliseconds timeout {}; ///< The guest's own deadline; zero: none.

    bool operator==(const GuestRunSpec&) const = default;
};

/// As protocol.h's RunSpec.
[[nodiscard]] QByteArray encodedRunSpec(const GuestRunSpec& spec);

/// How long a guest may take.
struct GuestLimits {
    std::chrono::milliseconds greeting { 10'000 }; ///< Until it answers Hello.
    std::chrono::milliseconds offer { 5'000 }; ///< Until it has come to the direct socket.
    std::chrono::milliseconds silence { 30'000 }; ///< Until it answers a ping with anything.
    std::chrono::milliseconds inactivity { 30'000 }; ///< Of a file operation or the scrub.
    std::chrono::milliseconds pingInterval = std::chrono::seconds(guest::pingSeconds);
};

/// Bytes of a file that went over, and how many there are.
using GuestProgress = std::function<void(qint64 doneBytes, qint64 totalBytes)>;

class DirectSocket;
class GuestConnection;

/// One program in the sandbox. Made by GuestConnection::startRun(), owned by the caller; destroying
/// it kills the program. The guest's word is not trusted: every count and length is bounded.
class GuestRun : public QObject {
    Q_OBJECT

public:
    ~GuestRun() override;

    void writeStdin(const QByteArray& bytes); ///< Queued; sent as credit allows.
    void closeStdin();
    [[nodiscard]] qint64 pendingStdinBytes() const;
    void sendSignal(int number);
    void resizeTerminal(int rows, int columns);
    void kill();
    /// Once it has started: whether GuestConnection::prestart() had done so before.
    [[nodiscard]] bool wasAhead() const;
    /// While paused no credit is given back, so at most one window arrives.
    void setOutputPaused(bool isPaused);
    /// The next connection that the program has opened, or null. What is not taken waits, and ends
    /// with the run, as does what was taken.
    [[nodiscard]] std::unique_ptr<ByteStream> takeConnection();

Q_SIGNALS:
    void started();
    void connectionOpened();
    void outputReceived(isol8::Channel channel, const QByteArray& bytes);
    void stdinAccepted(qint64 pendingBytes);
    void usageReported(const isol8::RunUsage& usage);
    /// The last signal: the guest's report, or why there is none.
    void finished(const isol8::Result<isol8::guest::RunReport>& report);

private:
    friend class GuestConnection;
    explicit GuestRun(GuestConnection* connection);
    struct Private;
    std::unique_ptr<Private> d;
};

/// The host's side of protocol.h. Owns its transport. Any malformed or unexpected frame, and any
/// silence over its time limits, ends the conversation: failed() is signalled, every run and file
/// operation ends with that error, and the owner destroys the container.
class GuestConnection : public QObject {
    Q_OBJECT

public:
    explicit GuestConnection(
        std::unique_ptr<GuestTransport> transport, const GuestLimits& limits = {});
    ~GuestConnection() override;

    /// Before open(): the conversation goes on over @p socket if the guest can reach it.
    void offer(std::unique_ptr<DirectSocket> socket);
    /// Says Hello and waits for the answer; the first thing to do. @p mayHaveHistory: the guest may
    /// have talked to another host before (sends the resynchronising padding). Pings from then on
    /// if
    /// @p isLeased (guests started with --linger).
    [[nodiscard]] Task<> open(bool mayHaveHistory, bool isLeased, CancelToken cancel);
    [[nodiscard]] bool isOpen() const;
    /// Whether the offer was taken.
    [[nodiscard]] bool isDirect() const;
    /// Memory cgroup version that the guest found: 0 (none), 1 or 2.
    [[nodiscard]] int cgroupVersion() const;

    /// One run at a time. A script goes out together with the start; if it cannot be put, the run
    /// ends with that error.
    [[nodiscard]] std::unique_ptr<GuestRun> startRun(const GuestRunSpec& spec);

    // Files below /sandbox, as the program's user. Errors carry the guest's errno as Kind
    // (NotFound, Denied, Limit for ENOSPC and EFBIG, Conflict for EEXIST/ENOTDIR/EISDIR/ENOTEMPTY,
    // Invalid).
    [[nodiscard]] Task<> putFile(QByteArray path, QByteArray content, int mode, CancelToken cancel,
        GuestProgress progress = {});
    [[nodiscard]] Task<QByteArray> fetchFile(
        QByteArray path, qint64 maxBytes, CancelToken cancel, GuestProgress progress = {});
    [[nodiscard]] Task<QList<FileEntry>> listDirectory(QByteArray path, CancelToken cancel);
    [[nodiscard]] Task<FileEntry> statFile(QByteArray path, CancelToken cancel);
    [[nodiscard]] Task<> makeDirectory(QByteArray path, int mode, CancelToken cancel);
    [[nodiscard]] Task<> renameFile(QByteArray from, QByteArray to, CancelToken cancel);
    [[nodiscard]] Task<> removeFile(QByteArray path, CancelToken cancel);
    /// Kind::Timeout, and the end of the conversation, without an answer within @p limit.
    [[nodiscard]] Task<> ping(std::chrono::milliseconds limit, CancelToken cancel);
    /// Has the program of a later run started up to where it opens @p path, its file right below
    /// /sandbox. That run then has to have the same specification but for its script; any other
    /// starts as always. Only in a sandbox in which nothing has run since it was made or scrubbed.
    /// With @p isRepeated more like it will follow, and the guest may keep one to copy; not every
    /// interpreter can be copied. The bytes of memory that the sandbox uses then.
    [[nodiscard]] Task<qint64> prestart(
        GuestRunSpec spec, QByteArray path, bool isRepeated, CancelToken cancel);
    /// Kind::Internal, naming what was left, when the sandbox could not be proved clean.
    [[nodiscard]] Task<> scrub(CancelToken cancel);
    /// Asks the guest to kill everything and exit.
    void shutdown();

Q_SIGNALS:
    void failed(const isol8::Error& error);

private:
    friend class GuestRun;
    struct Private;
    std::unique_ptr<Private> d;
};

} // namespace isol8
