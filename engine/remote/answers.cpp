// SPDX-License-Identifier: MIT
#include "engine/remote/answers.h"

#include "engine/core/jsonreader.h"
#include "engine/core/names.h"
#include "engine/remote/serveraddress.h"

#include <QTimeZone>

#include <algorithm>
#include <array>

namespace isol8::remote {

using namespace Qt::StringLiterals;

namespace {

constexpr double maxMilliseconds = 8.64e15; ///< ECMAScript's last date.

/// ISO 8601, or milliseconds since 1970 as 0.20 gives them.
QDateTime readTime(JsonReader& reader, const QString& key)
{
    if (!reader.has(key))
        return {};
    const auto value = reader.value(key);
    if (value.isDouble() && value.toDouble() >= 0 && value.toDouble() <= maxMilliseconds)
        return QDateTime::fromMSecsSinceEpoch(qint64(value.toDouble()), QTimeZone::UTC);
    const auto time = QDateTime::fromString(value.toString(), Qt::ISODateWithMs);
    if (!time.isValid())
        reader.refuse(key, u"times in ISO 8601 or milliseconds"_s);
    return time.toUTC();
}

Result<QJsonArray> arrayOf(const QJsonObject& object, const QString& key)
{
    const auto value = object.value(key);
    if (!value.isArray())
        return failure(Kind::Protocol, key + u" is missing or no list"_s);
    return value.toArray();
}

std::optional<FileEntry::Type> typeFromName(const QString& name)
{
    using Type = FileEntry::Type;
    static constexpr std::array names { std::pair { "file"_L1, Type::File },
        std::pair { "directory"_L1, Type::Directory }, std::pair { "link"_L1, Type::Link },
        std::pair { "other"_L1, Type::Other } };
    for (const auto& [text, type] : names) {
        if (name == text)
            return type;
    }
    return std::nullopt;
}

} // namespace

Result<QList<SessionInfo>> sessionsFromJson(const QJsonObject& object)
{
    const auto array = arrayOf(object, u"sessions"_s);
    if (!array)
        return std::unexpected(array.error());
    QList<SessionInfo> sessions;
    for (const auto& item : *array) {
        JsonReader reader(item.toObject(), u"sessions[%1]"_s.arg(sessions.size()), Kind::Protocol);
        SessionInfo session;
        reader.require(u"id"_s);
        reader.read(u"id"_s, session.id);
        reader.read(u"isActive"_s, session.isActive);
        reader.read(u"containerId"_s, session.containerId);
        reader.readName(
            u"runtime"_s, session.runtime, runtimeFromName, runtimeNames().join(u", "_s));
        session.lastUsed = readTime(reader, u"lastAccessedAt"_s);
        session.created = readTime(reader, u"createdAt"_s);
        if (reader.error())
            return std::unexpected(*reader.error());
        sessions << session;
    }
    return sessions;
}

Result<QList<FileEntry>> filesFromJson(const QJsonObject& object)
{
    const auto array = arrayOf(object, u"files"_s);
    if (!array)
        return std::unexpected(array.error());
    QList<FileEntry> files;
    for (const auto& item : *array) {
        JsonReader reader(item.toObject(), u"files[%1]"_s.arg(files.size()), Kind::Protocol);
        FileEntry entry;
        reader.require(u"name"_s);
        reader.read(u"name"_s, entry.name);
        reader.readName(u"type"_s, entry.type, typeFromName, u"file, directory, link and other"_s);
        reader.readWhole(u"size"_s, entry.sizeBytes, 0, 1LL << 53);
        reader.readWhole(u"mode"_s, entry.mode, 0, 07777);
        entry.modified = readTime(reader, u"mtime"_s);
        // A name is one step below the directory, whatever the server says.
        if (!reader.error()
            && (entry.name.isEmpty() || entry.name == "."_L1 || entry.name == ".."_L1
                || entry.name.contains(u'/') || entry.name.contains(QChar::Null)))
            reader.refuse(u"name"_s, u"names without a slash"_s);
        if (reader.error())
            return std::unexpected(*reader.error());
        files << entry;
    }
    return files;
}

Result<QByteArray> contentFromJson(const QJsonObject& object)
{
    JsonReader reader(object, {}, Kind::Protocol);
    QString text;
    reader.require(u"content"_s);
    reader.read(u"content"_s, text);
    if (reader.error())
        return std::unexpected(*reader.error());
    auto content
        = QByteArray::fromBase64Encoding(text.toLatin1(), QByteArray::AbortOnBase64DecodingErrors);
    if (!content)
        return failure(Kind::Protocol, u"content is not base64"_s);
    return std::move(*content);
}

Result<Login> loginFromJson(const QJsonObject& object)
{
    JsonReader reader(object, {}, Kind::Protocol);
    Login login;
    reader.require(u"token"_s);
    reader.read(u"token"_s, login.token);
    reader.read(u"keyId"_s, login.keyId);
    login.expires = readTime(reader, u"expiresAt"_s);
    if (reader.error())
        return std::unexpected(*reader.error());
    if (auto valid = checkApiKey(login.token); !valid)
        return failure(Kind::Protocol, u"token: "_s + valid.error().message);
    return login;
}

} // namespace isol8::remote
