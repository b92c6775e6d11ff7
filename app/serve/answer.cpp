// SPDX-License-Identifier: MIT
#include "app/serve/answer.h"

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

Error engineFailure(Error error)
{
    switch (error.kind) {
    case Kind::Limit:
        error.httpStatus = 413;
        break;
    case Kind::Denied:
    case Kind::Timeout:
        error.httpStatus = 500;
        break;
    default:
        // Docker's own status is no answer to our client.
        error.httpStatus = 0;
        break;
    }
    return error;
}

} // namespace isol8::serve
