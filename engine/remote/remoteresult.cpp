// SPDX-License-Identifier: MIT
#include "engine/remote/remoteresult.h"

#include "engine/core/executionjson.h"
#include "engine/core/logging.h"
#include "engine/core/validation.h"
#include "engine/remote/answers.h"
#include "engine/remote/failures.h"

namespace isol8::remote {

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace {

/// Files in base64, and the rest.
constexpr qint64 maxFileAnswerBytes = maxFilesBytes / 3 * 4 + (16LL << 20);
constexpr auto fileLimit = 300s;

Task<ExecutionResult> fetchResult(
    std::shared_ptr<Connection> connection, ResultQuestion question, CancelToken cancel)
{
    HttpCall call;
    call.path = u"/executions/"_s + question.executionId;
    if (!question.outputPaths.isEmpty()) {
        call.maxBytes = maxFileAnswerBytes;
        call.limit = fileLimit;
    }
    const auto object = co_await perform(connection, call, cancel);
    if (!object)
        co_return std::unexpected(object.error());
    auto result = resultFromJson(object->value(u"result"_s).toObject());
    if (!result)
        co_return std::unexpected(notIsol8(connection->address(), result.error().message));
    // JSON has lost white space, and what is not UTF-8.
    if (question.isOutputWhole) {
        result->standardOutput = question.fromEvents.standardOutput;
        result->standardError = question.fromEvents.standardError;
    }
    co_return std::move(*result);
}

bool isPlainId(const QString& id)
{
    static const QRegularExpression uuid(u"\\A[0-9A-Fa-f-]{1,64}\\z"_s);
    return uuid.match(id).hasMatch();
}

} // namespace

Task<QByteArray> fetchSessionFile(
    std::shared_ptr<Connection> connection, QString sessionId, QString path, Transfer transfer)
{
    HttpCall call;
    call.path = u"/file"_s;
    call.query.addQueryItem(u"sessionId"_s, sessionId);
    call.query.addQueryItem(u"path"_s, QString::fromLatin1(QUrl::toPercentEncoding(path)));
    call.maxBytes = maxFileAnswerBytes;
    call.limit = fileLimit;
    call.progress = std::move(transfer.progress);
    const auto object = co_await perform(connection, call, transfer.cancel);
    if (!object)
        co_return std::unexpected(object.error());
    auto content = contentFromJson(*object);
    if (!content)
        co_return std::unexpected(notIsol8(connection->address(), content.error().message));
    co_return std::move(*content);
}

Task<ExecutionResult> completeResult(
    std::shared_ptr<Connection> connection, ResultQuestion question, CancelToken cancel)
{
    if (isPlainId(question.executionId)) {
        auto result = co_await fetchResult(connection, question, cancel);
        if (result)
            co_return result;
        qCDebug(logRemote) << "no result of the run beside its events:" << result.error().message;
    }
    auto result = question.fromEvents;
    result.executionId = question.executionId.left(64);
    for (const auto& path : question.outputPaths) {
        if (question.sessionId.isEmpty()) {
            result.missingFiles << path + u": this server gives files of sessions only"_s;
            continue;
        }
        const auto content
            = co_await fetchSessionFile(connection, question.sessionId, path, { cancel, {} });
        if (content)
            result.files.insert(path, *content);
        else
            result.missingFiles << path + u": "_s + content.error().message;
    }
    co_return result;
}

} // namespace isol8::remote
