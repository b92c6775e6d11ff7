// SPDX-License-Identifier: MIT
#include "engine/core/trust.h"

#include "engine/core/escape.h"
#include "engine/core/smallfile.h"
#include "engine/core/strictjson.h"

#include <QCryptographicHash>
#include <QDir>
#include <QFileInfo>
#include <QJsonDocument>
#include <QSaveFile>

using namespace Qt::StringLiterals;

namespace isol8 {

namespace {

constexpr qint64 maxStoreBytes = 4LL << 20;
constexpr qint64 maxTrustedFileBytes = 1LL << 20;
constexpr auto filesKey = "files"_L1;

QString digestOf(const QByteArray& content)
{
    return QString::fromLatin1(
        QCryptographicHash::hash(content, QCryptographicHash::Sha256).toHex());
}

} // namespace

TrustStore::TrustStore(const QString& home)
    : m_storePath(home + "/.isol8/trusted.json"_L1)
{
}

Result<QHash<QString, QString>> TrustStore::entries() const
{
    const auto content = readSmallFile(m_storePath, maxStoreBytes);
    if (!content && content.error().kind == Kind::NotFound)
        return QHash<QString, QString> {};
    if (!content)
        return std::unexpected(content.error());
    const auto object = parseJsonObject(*content);
    if (!object)
        return std::unexpected(object.error().within(printable(m_storePath)));
    QHash<QString, QString> found;
    const QJsonObject files = object->value(filesKey).toObject();
    for (const QString& path : files.keys())
        found.insert(path, files[path].toString());
    return found;
}

Result<bool> TrustStore::isTrusted(const QString& path, const QByteArray& content) const
{
    const auto known = entries();
    if (!known)
        return std::unexpected(known.error());
    const QString canonical = QFileInfo(path).canonicalFilePath();
    return !canonical.isEmpty() && known->value(canonical) == digestOf(content);
}

Result<> TrustStore::trust(const QString& path) const
{
    const auto content = readSmallFile(path, maxTrustedFileBytes);
    if (!content)
        return std::unexpected(content.error());
    auto known = entries();
    if (!known)
        return std::unexpected(known.error());
    known->insert(QFileInfo(path).canonicalFilePath(), digestOf(*content));

    QJsonObject files;
    for (const auto& [name, digest] : known->asKeyValueRange())
        files.insert(name, digest);
    const QByteArray text = QJsonDocument(QJsonObject { { filesKey, files } }).toJson();
    const auto cannotWrite = [this](const QString& reason) {
        return failure(Kind::Internal,
            u"cannot write %1: %2"_s.arg(printable(m_storePath), printable(reason)));
    };
    const QDir directory = QFileInfo(m_storePath).dir();
    constexpr auto ownerOnly = QFileDevice::ReadOwner | QFileDevice::WriteOwner;
    if (!directory.exists() && !QDir().mkdir(directory.path(), ownerOnly | QFileDevice::ExeOwner))
        return cannotWrite(u"cannot make its directory"_s);
    QSaveFile file(m_storePath);
    if (!file.open(QIODevice::WriteOnly) || !file.setPermissions(ownerOnly)
        || file.write(text) != text.size() || !file.commit())
        return cannotWrite(file.errorString());
    return {};
}

} // namespace isol8
