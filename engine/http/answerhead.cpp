// SPDX-License-Identifier: MIT
#include "engine/http/answerhead.h"

#include <QDateTime>
#include <QJsonDocument>
#include <QJsonObject>
#include <QLocale>

#include <llhttp.h>

namespace isol8::http {

using namespace Qt::StringLiterals;

namespace {

/// `NOT_FOUND`, as llhttp has it, becomes `Not Found`.
QByteArray inWords(QByteArray name)
{
    for (qsizetype i = 1; i < name.size(); ++i) {
        if (name[i] == '_')
            name[i] = ' ';
        else if (name[i - 1] != ' ')
            name[i] = QByteArray(1, name[i]).toLower()[0];
    }
    return name;
}

QByteArray reason(int status)
{
    if (status == 200)
        return "OK";
    switch (status) {
#define ISOL8_REASON(code, name, phrase)                                                           \
    case code:                                                                                     \
        return inWords(#name);
        HTTP_STATUS_MAP(ISOL8_REASON)
#undef ISOL8_REASON
    default:
        return {};
    }
}

QByteArray withoutControls(QByteArray text)
{
    for (char& c : text) {
        if ((uchar(c) < 0x20 && c != '\t') || c == 0x7f)
            c = ' ';
    }
    return text;
}

} // namespace

QByteArray answerHead(int status, const Fields& fields)
{
    QByteArray head = "HTTP/1.1 " + QByteArray::number(status) + ' ' + reason(status) + "\r\nDate: "
        + QLocale::c()
              .toString(QDateTime::currentDateTimeUtc(), u"ddd, dd MMM yyyy HH:mm:ss 'GMT'"_s)
              .toLatin1()
        + "\r\n";
    for (const auto& field : fields)
        head += withoutControls(field.name) + ": " + withoutControls(field.value) + "\r\n";
    return head + "\r\n";
}

QByteArray errorBody(const QString& message)
{
    return QJsonDocument(QJsonObject { { u"error"_s, message } }).toJson(QJsonDocument::Compact);
}

} // namespace isol8::http
