// SPDX-License-Identifier: MIT
#include "app/serve/answer.h"

#include "engine/core/logging.h"

#include <QJsonDocument>

namespace isol8::serve {

using namespace Qt::StringLiterals;

Answer jsonAnswer(const QJsonObject& object, int status)
{
    Answer answer;
    answer.status = status;
    answer.body = QJsonDocument(object).toJson(QJsonDocument::Compact);
    return answer;
}

Answer okAnswer()
{
    return jsonAnswer({ { u"ok"_s, true } });
}

Answer errorAnswer(const Error& error)
{
    return jsonAnswer({ { u"error"_s, error.message } }, statusOf(error));
}

Answer sentAnswer()
{
    Answer answer;
    answer.isSent = true;
    return answer;
}

int statusOf(const Error& error)
{
    if (error.httpStatus != 0)
        return error.httpStatus;
    switch (error.kind) {
    case Kind::Invalid:
        return 400;
    case Kind::Denied:
        return 403;
    case Kind::NotFound:
        return 404;
    case Kind::Timeout:
        return 408;
    case Kind::Cancelled:
    case Kind::Conflict:
        return 409;
    case Kind::Limit:
        return 429;
    case Kind::Unreachable:
        return 503;
    case Kind::Protocol:
    case Kind::Internal:
        break;
    }
    return 500;
}

Error shuttingDown()
{
    return { Kind::Unreachable, u"the server is shutting down"_s, 503 };
}

Error engineFailure(Error error)
{
    // Docker's own words name paths and containers of this machine, which are the operator's.
    const bool isOfDocker = error.httpStatus != 0 && error.kind != Kind::Invalid;
    switch (error.kind) {
    case Kind::Limit:
        return { error.kind, error.message, 413 };
    case Kind::Unreachable:
        qCWarning(logServe).noquote() << error.message;
        return { error.kind, u"Docker does not answer"_s, 503 };
    case Kind::Denied:
    case Kind::Protocol:
    case Kind::Internal:
    case Kind::Timeout:
        if (!isOfDocker && error.kind == Kind::Internal)
            return { error.kind, error.message, 500 };
        qCWarning(logServe).noquote() << error.message;
        return { error.kind, u"the server failed; its log says why"_s, 500 };
    default:
        // Docker's own status is no answer to our client.
        return { error.kind, error.message, 0 };
    }
}

} // namespace isol8::serve
