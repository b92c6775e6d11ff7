// SPDX-License-Identifier: MIT
#include "tests/app/serve/fakeengine.h"

#include "engine/core/completion.h"

#include <QTimer>

namespace isol8::tests {

using namespace Qt::StringLiterals;

namespace {

Task<> held(std::shared_ptr<int> count, CancelToken cancel)
{
    const Completion<> ended;
    const auto registration = cancel.onCancel([ended] { ended.fail(cancelled()); });
    ++*count;
    const auto result = co_await ended.wait();
    --*count;
    co_return result;
}

} // namespace

FakeRun::FakeRun(ExecutionRequest theRequest, ExecutionOptions theOptions, QString theSessionId)
    : request(std::move(theRequest))
    , options(std::move(theOptions))
    , sessionId(std::move(theSessionId))
{
    result.runtime = request.runtime;
    result.timestamp = QDateTime::currentDateTimeUtc();
    result.executionId = u"of-the-engine"_s;
}

void FakeRun::cancel()
{
    if (std::exchange(isCancelled, true))
        return;
    result.ending.reason = EndReason::Cancelled;
    QTimer::singleShot(0, this, [this] { end(137); });
}

void FakeRun::give(const QByteArray& bytes, Channel channel, Phase phase)
{
    (channel == Channel::Stdout ? result.standardOutput : result.standardError) += bytes;
    Q_EMIT outputReceived(channel, bytes, phase);
}

void FakeRun::end(int exitCode)
{
    result.exitCode = exitCode;
    Q_EMIT finished(result);
}

void FakeRun::fail(const Error& error)
{
    Q_EMIT finished(std::unexpected(error));
}

std::unique_ptr<Run> FakeEngine::start(
    ExecutionRequest request, ExecutionOptions options, QString sessionId)
{
    ++startCount;
    auto run
        = std::make_unique<FakeRun>(std::move(request), std::move(options), std::move(sessionId));
    if (!run->sessionId.isEmpty())
        files[run->sessionId];
    runs.emplace_back(run.get());
    if (script)
        QTimer::singleShot(0, run.get(), [script = script, run = run.get()] { script(*run); });
    return run;
}

Task<QList<SessionInfo>> FakeEngine::sessions()
{
    QList<SessionInfo> all;
    for (const auto& [id, content] : files) {
        SessionInfo session;
        session.id = id;
        session.created = QDateTime::currentDateTimeUtc();
        all << session;
    }
    co_return all;
}

Task<bool> FakeEngine::stopSession(QString sessionId)
{
    co_return files.erase(sessionId) > 0;
}

Task<> FakeEngine::putFile(QString sessionId, QString path, QByteArray content, Transfer transfer)
{
    if (areTransfersHeld)
        co_return co_await held(heldTransfers, transfer.cancel);
    files[sessionId][path] = content;
    co_return {};
}

Task<QByteArray> FakeEngine::fetchFile(QString sessionId, QString path, Transfer transfer)
{
    if (areTransfersHeld)
        co_return std::unexpected((co_await held(heldTransfers, transfer.cancel)).error());
    const auto& own = files[sessionId];
    const auto found = own.find(path);
    if (found == own.end())
        co_return failure(Kind::NotFound, u"there is no %1 in %2"_s.arg(path, sessionId));
    co_return found->second;
}

Task<QList<FileEntry>> FakeEngine::listFiles(QString sessionId, QString)
{
    QList<FileEntry> entries;
    for (const auto& [path, content] : files[sessionId])
        entries << FileEntry { path, FileEntry::Type::File, content.size(),
            QDateTime::fromSecsSinceEpoch(1), 0644 };
    co_return entries;
}

Task<> FakeEngine::removeFile(QString sessionId, QString path)
{
    if (files[sessionId].erase(path) == 0)
        co_return failure(Kind::NotFound, u"there is no "_s + path);
    co_return {};
}

Task<> FakeEngine::makeDirectory(QString, QString)
{
    co_return {};
}

Task<> FakeEngine::renameFile(QString sessionId, QString from, QString to)
{
    auto& own = files[sessionId];
    const auto found = own.extract(from);
    if (found.empty())
        co_return failure(Kind::NotFound, u"there is no "_s + from);
    own[to] = found.mapped();
    co_return {};
}

Task<> FakeEngine::shutdown()
{
    isShutDown = true;
    co_return {};
}

} // namespace isol8::tests
