// SPDX-License-Identifier: MIT
#include "engine/remote/remoterun.h"

#include "engine/core/largebuffer.h"
#include "engine/core/logging.h"
#include "engine/core/names.h"
#include "engine/core/requestjson.h"
#include "engine/core/strictjson.h"
#include "engine/core/validation.h"
#include "engine/files/directoryreader.h"
#include "engine/remote/failures.h"
#include "engine/remote/remoteresult.h"
#include "engine/remote/ssestream.h"
#include "engine/remote/websocketstream.h"

#include <QUtf8StringView>

#include <csignal>

namespace isol8::remote {

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace {

/// For the way there and back, over the run's own time.
constexpr auto grace = 60s;
constexpr qsizetype stdinPieceBytes = 64 << 10;
constexpr qint64 maxUnsentBytes = 1 << 20;
constexpr int killedExitCode = 137;

Result<> checkText(const QByteArray& bytes, const QString& what)
{
    if (QUtf8StringView(bytes).isValidUtf8())
        return {};
    return failure(Kind::Invalid, what + u" is not UTF-8, and a server takes only text there"_s);
}

/// What goes to the server, this machine's files in it.
Result<QJsonObject> executionJson(
    ExecutionRequest& request, const ExecutionOptions& options, const QString& sessionId)
{
    if (!sessionId.isEmpty()) {
        if (auto valid = checkSessionId(sessionId); !valid)
            return std::unexpected(valid.error());
    }
    if (!request.filesDirectory.isEmpty()) {
        auto files = readDirectoryFiles(request.filesDirectory);
        if (!files)
            return std::unexpected(files.error());
        // Those that were named one by one count.
        files->insert(request.files);
        request.files = *files;
        request.filesDirectory.clear();
    }
    // The server keeps standard input open unless it is told what is in it.
    if (!request.stdinData && !request.isStdinLive)
        request.stdinData = QByteArray("");
    for (const auto& checked : { validate(request, options), checkText(request.code, u"The code"_s),
             checkText(request.stdinData.value_or(QByteArray()), u"Standard input"_s) }) {
        if (!checked)
            return std::unexpected(checked.error());
    }
    QJsonObject object { { u"request"_s, toJson(request) }, { u"options"_s, toJson(options) } };
    if (!sessionId.isEmpty())
        object.insert(u"sessionId"_s, sessionId);
    return object;
}

QCoro::Task<> completeAnd(std::shared_ptr<Connection> connection, ResultQuestion question,
    CancelToken cancel, std::function<void(Result<ExecutionResult>)> done)
{
    done(co_await completeResult(connection, question, cancel));
}

/// Complaints of older servers about messages that they do not know.
bool isComplaint(const QString& text)
{
    return text.startsWith("Unknown message type"_L1) || text.startsWith("Unknown signal"_L1);
}

} // namespace

RemoteRun::RemoteRun(std::shared_ptr<Connection> connection, ExecutionRequest request,
    ExecutionOptions options, QString sessionId)
    : m_connection(std::move(connection))
    , m_request(std::move(request))
    , m_options(std::move(options))
    , m_sessionId(std::move(sessionId))
{
    m_result.runtime = m_request.runtime;
    m_result.timestamp = QDateTime::currentDateTimeUtc();
    m_sinceBegin.start(); // The clock may be set meanwhile.
    m_limit.setSingleShot(true);
    connect(&m_limit, &QTimer::timeout, this, &RemoteRun::handleLimit);
    m_closing = m_connection->closing().onCancel([this] { cancel(); });
    QMetaObject::invokeMethod(this, &RemoteRun::begin, Qt::QueuedConnection);
}

RemoteRun::~RemoteRun()
{
    m_isFinished = true;
    m_cancel.cancel();
}

void RemoteRun::begin()
{
    if (m_isFinished)
        return;
    const auto execution = executionJson(m_request, m_options, m_sessionId);
    if (!execution)
        return finish(std::unexpected(execution.error()));
    m_execution = *execution;
    m_limit.start(m_request.timeout.value_or(m_options.timeout) + grace);
    openStream(std::make_unique<WebSocketStream>(m_connection));
}

void RemoteRun::openStream(std::unique_ptr<EventStream> stream)
{
    // The old one may be within its last signal.
    if (auto* old = m_stream.release()) {
        old->disconnect(this);
        old->deleteLater();
    }
    m_stream = std::move(stream);
    connect(m_stream.get(), &EventStream::opened, this, &RemoteRun::handleOpened);
    connect(m_stream.get(), &EventStream::eventReceived, this, &RemoteRun::receive);
    connect(m_stream.get(), &EventStream::bytesSent, this, &RemoteRun::sendStdin);
    connect(m_stream.get(), &EventStream::ended, this, &RemoteRun::handleStreamEnd);
    m_stream->setPaused(m_isPaused);
    m_stream->start(m_execution);
}

void RemoteRun::handleOpened()
{
    m_isOpen = true;
    m_execution = {};
    if (!m_stream->canSend() && m_request.isStdinLive)
        qCWarning(logRemote) << "the server at" << m_connection->address().toString()
                             << "takes no live input: the program gets none, and no signals";
    if (m_request.hasTerminal)
        resizeTerminal(m_request.terminalRows, m_request.terminalColumns);
    sendStdin();
}

void RemoteRun::writeStdin(const QByteArray& bytes)
{
    if (m_isStdinClosed || m_isFinished || !m_request.isStdinLive)
        return;
    m_stdin += bytes;
    sendStdin();
}

void RemoteRun::closeStdin()
{
    if (m_isStdinClosed || m_isFinished || !m_request.isStdinLive)
        return;
    m_isStdinClosed = true;
    sendStdin();
}

qint64 RemoteRun::pendingStdinBytes() const
{
    return m_stdin.size() + (m_stream && m_isOpen ? m_stream->pendingBytes() : 0);
}

void RemoteRun::sendStdin()
{
    if (!m_isOpen || m_isFinished || m_isCompleting || !m_request.isStdinLive)
        return;
    if (!m_stream->canSend())
        m_stdin.clear();
    while (!m_stdin.isEmpty() && m_stream->pendingBytes() < maxUnsentBytes) {
        const auto piece
            = m_stdinDecoder.feed(m_stdin.first(std::min(stdinPieceBytes, m_stdin.size())));
        m_stdin.remove(0, stdinPieceBytes);
        if (!piece.isEmpty())
            m_stream->send({ { u"type"_s, u"stdin"_s }, { u"data"_s, piece } });
    }
    if (m_isStdinClosed && m_stdin.isEmpty() && m_stream->canSend()) {
        m_request.isStdinLive = false;
        const auto rest = m_stdinDecoder.finish();
        if (!rest.isEmpty())
            m_stream->send({ { u"type"_s, u"stdin"_s }, { u"data"_s, rest } });
        m_stream->send({ { u"type"_s, u"stdin"_s }, { u"eof"_s, true } });
    }
    QMetaObject::invokeMethod(
        this,
        [this] {
            if (!m_isFinished)
                Q_EMIT stdinAccepted(pendingStdinBytes());
        },
        Qt::QueuedConnection);
}

void RemoteRun::sendSignal(int number)
{
    // The contract knows three; these two mean the same to most programs.
    if (number == SIGHUP || number == SIGQUIT)
        number = SIGTERM;
    const bool isKnown = number == SIGINT || number == SIGTERM || number == SIGKILL;
    if (isKnown && m_isOpen && !m_isFinished)
        m_stream->send({ { u"type"_s, u"signal"_s }, { u"signal"_s, signalName(number) } });
}

void RemoteRun::resizeTerminal(int rows, int columns)
{
    m_request.terminalRows = rows;
    m_request.terminalColumns = columns;
    if (m_isOpen && !m_isFinished)
        m_stream->send({ { u"type"_s, u"resize"_s }, { u"rows"_s, rows }, { u"cols"_s, columns } });
}

void RemoteRun::setOutputPaused(bool isPaused)
{
    if (m_isPaused == isPaused || m_isFinished)
        return;
    m_isPaused = isPaused;
    if (m_stream)
        m_stream->setPaused(isPaused);
    if (!isPaused)
        QMetaObject::invokeMethod(this, &RemoteRun::drain, Qt::QueuedConnection);
}

void RemoteRun::cancel()
{
    if (m_isFinished)
        return;
    m_cancel.cancel();
    if (m_isCompleting)
        return; // It has ended by itself; only details are still asked for.
    if (!m_isOpen)
        return finishLater(std::unexpected(cancelled()));
    m_result.exitCode = killedExitCode;
    m_result.ending = { .reason = EndReason::Cancelled, .limit = {}, .value = {} };
    finishLater(m_result);
}

void RemoteRun::receive(const QByteArray& json)
{
    m_waiting.push_back(json);
    if (!m_isPaused)
        drain();
}

void RemoteRun::handleStreamEnd(const Error& reason)
{
    if (m_isOpen) {
        m_streamEnd = reason;
        return drain();
    }
    if (!m_isWebSocket)
        return finish(std::unexpected(reason));
    // Whatever it was, plain HTTP either works or tells it better.
    qCDebug(logRemote) << "no WebSocket to" << m_connection->address().toString();
    m_isWebSocket = false;
    openStream(std::make_unique<SseStream>(m_connection));
}

void RemoteRun::drain()
{
    const QPointer alive(this);
    while (alive && !m_isPaused && !m_isFinished && !m_isCompleting && !m_waiting.empty()) {
        const auto json = std::move(m_waiting.front());
        m_waiting.pop_front();
        const auto object = parseJsonObject(json);
        const auto event = object ? streamEventFromJson(*object)
                                  : Result<StreamEvent>(std::unexpected(object.error()));
        if (!event)
            return finish(
                std::unexpected(notIsol8(m_connection->address(), event.error().message)));
        take(*event);
    }
    if (!alive || m_isPaused || m_isFinished || m_isCompleting || !m_streamEnd)
        return;
    if (m_failure)
        return finish(std::unexpected(*m_failure));
    finish(std::unexpected(*m_streamEnd));
}

void RemoteRun::take(const StreamEvent& event)
{
    if (!std::exchange(m_isStarted, true)) {
        const QPointer alive(this);
        Q_EMIT started({});
        if (!alive)
            return;
    }
    switch (event.type) {
    case StreamEvent::Type::Stdout:
    case StreamEvent::Type::Stderr:
        return takeOutput(event);
    case StreamEvent::Type::Exit:
        return takeExit(event);
    case StreamEvent::Type::Error:
        break;
    }
    if (event.data == "EXECUTION TIMED OUT"_L1) {
        m_result.isTimedOut = true;
        m_result.ending.reason = EndReason::Timeout;
    } else if (!isComplaint(event.data)) {
        m_failure = errorFromEvent(event.httpStatus, event.data);
    }
}

void RemoteRun::takeOutput(const StreamEvent& event)
{
    const auto bytes = event.data.toUtf8();
    const bool isStdout = event.type == StreamEvent::Type::Stdout;
    auto& kept = isStdout ? m_result.standardOutput : m_result.standardError;
    const auto room = m_options.maxOutputBytes - kept.size();
    m_isOutputWhole = m_isOutputWhole && bytes.size() <= room;
    appendLarge(kept, QByteArrayView(bytes).first(std::min<qint64>(room, bytes.size())));
    if (!bytes.isEmpty())
        Q_EMIT outputReceived(
            isStdout ? Channel::Stdout : Channel::Stderr, bytes, event.phase.value_or(Phase::Code));
}

void RemoteRun::takeExit(const StreamEvent& event)
{
    bool isNumber = false;
    const int code = event.data.toInt(&isNumber);
    if (!isNumber || code < -1 || code > 255)
        return finish(std::unexpected(notIsol8(
            m_connection->address(), u"'%1' is no exit code"_s.arg(event.data.left(100)))));
    if (m_failure && code != 0)
        return finish(std::unexpected(*m_failure));
    m_result.exitCode = code < 0 ? 1 : code;
    m_result.isTruncated = !m_isOutputWhole;
    m_result.duration = std::chrono::milliseconds(m_sinceBegin.elapsed());
    complete(event.executionId);
}

void RemoteRun::complete(const QString& executionId)
{
    m_isCompleting = true;
    m_limit.stop();
    ResultQuestion question;
    question.executionId = executionId;
    question.sessionId = m_sessionId;
    question.outputPaths = m_request.outputPaths;
    question.fromEvents = m_result;
    question.isOutputWhole = m_isOutputWhole;
    (void)completeAnd(m_connection, std::move(question), m_cancel,
        [self = QPointer(this)](const Result<ExecutionResult>& result) {
            if (self)
                self->finishLater(result);
        });
}

void RemoteRun::handleLimit()
{
    // What has come waits for its reader, and the exit may be behind it.
    if (m_isPaused) {
        m_limit.start(grace);
        return;
    }
    finish(std::unexpected(noAnswerInTime(
        m_connection->address(), m_request.timeout.value_or(m_options.timeout) + grace)));
}

void RemoteRun::finish(const Result<ExecutionResult>& result)
{
    if (std::exchange(m_isFinished, true))
        return;
    m_limit.stop();
    m_closing = {};
    m_cancel.cancel();
    m_waiting.clear();
    if (auto* stream = m_stream.release()) {
        stream->disconnect(this);
        stream->deleteLater();
    }
    Q_EMIT finished(result);
}

void RemoteRun::finishLater(const Result<ExecutionResult>& result)
{
    QMetaObject::invokeMethod(this, [this, result] { finish(result); }, Qt::QueuedConnection);
}

} // namespace isol8::remote
