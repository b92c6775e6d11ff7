// SPDX-License-Identifier: MIT
#include "engine/audit/auditrecord.h"

#include "engine/core/executionjson.h"

#include <QCryptographicHash>
#include <QJsonArray>
#include <QJsonDocument>

using namespace Qt::StringLiterals;

namespace isol8 {

namespace {

constexpr qsizetype maxTextBytes = 1 << 20; ///< Of code and of each stream.
constexpr qsizetype longestSecret = 128 << 10; ///< maxVariableBytes of validation.h.
constexpr qsizetype maxMetadataBytes = 64 << 10; ///< It is the client's.
constexpr int maxDepth = 64; ///< Of metadata.

QByteArray codeOf(const ExecutionRequest& request)
{
    return request.command.isEmpty() ? request.code : request.command.toUtf8();
}

/// The beginning of @p bytes, masked before it is cut, so that no beginning of a secret stays.
QString text(const QByteArray& bytes, const SecretSet& secrets)
{
    const QByteArray shown = secrets.masked(bytes.left(maxTextBytes + longestSecret));
    return QString::fromUtf8(shown.left(maxTextBytes));
}

/// Of a client's own object the keys are masked as well; ours are names of this file.
enum class Keys { Kept, Masked };

QJsonValue masked(const QJsonValue& value, const SecretSet& secrets, Keys keys, int depth = 0)
{
    if (depth > maxDepth)
        return {};
    if (value.isString())
        return secrets.masked(value.toString());
    if (value.isArray()) {
        QJsonArray array;
        for (const QJsonValue& item : value.toArray())
            array.append(masked(item, secrets, keys, depth + 1));
        return array;
    }
    if (!value.isObject())
        return value;
    const QJsonObject object = value.toObject();
    QJsonObject shown;
    for (const QString& key : object.keys())
        shown.insert(keys == Keys::Masked ? secrets.masked(key) : key,
            masked(object[key], secrets, keys, depth + 1));
    return shown;
}

QJsonValue metadataOf(const QJsonObject& metadata, const SecretSet& secrets)
{
    const qsizetype size = QJsonDocument(metadata).toJson(QJsonDocument::Compact).size();
    if (size > maxMetadataBytes)
        return QJsonObject { { u"omittedBytes"_s, size } };
    return masked(metadata, secrets, Keys::Masked);
}

QJsonArray securityEvents(const ExecutionResult& result)
{
    QJsonArray events;
    for (const Violation& violation : result.violations)
        events.append(
            QJsonObject { { u"type"_s, violation.kind }, { u"message"_s, violation.detail } });
    return events;
}

} // namespace

QByteArray auditLine(
    const AuditedRun& run, const Settings::Audit& settings, const SecretSet& secrets)
{
    const ExecutionRequest& request = run.request;
    const QByteArray code = codeOf(request);
    const QJsonObject result = toJson(run.result);
    QJsonObject object { { u"userId"_s, request.metadata[u"userId"].toString() },
        { u"tenantId"_s, request.tenant },
        { u"codeHash"_s,
            QString::fromLatin1(
                QCryptographicHash::hash(code, QCryptographicHash::Sha256).toHex()) },
        { u"securityEvents"_s, securityEvents(run.result) },
        { u"metadata"_s, metadataOf(request.metadata, secrets) } };
    for (const QString& key : { u"executionId"_s, u"timestamp"_s, u"runtime"_s, u"containerId"_s,
             u"durationMs"_s, u"networkLogs"_s })
        object.insert(key, result[key]);
    object.insert(u"exitCode"_s, run.error ? QJsonValue() : result[u"exitCode"]);
    if (run.error)
        object.insert(u"error"_s, run.error->message);
    else
        object.insert(u"ending"_s, result[u"ending"].toObject()[u"reason"]);
    if (!request.codeUrl.isEmpty())
        object.insert(u"codeUrl"_s, request.codeUrl);
    if (settings.trackResources)
        object.insert(u"resourceUsage"_s, result[u"resourceUsage"]);
    if (settings.includeCode)
        object.insert(u"code"_s, text(code, secrets));
    if (settings.includeOutput) {
        object.insert(u"stdout"_s, text(run.result.standardOutput, secrets));
        object.insert(u"stderr"_s, text(run.result.standardError, secrets));
    }
    return QJsonDocument(masked(object, secrets, Keys::Kept).toObject())
               .toJson(QJsonDocument::Compact)
        + '\n';
}

} // namespace isol8
