// SPDX-License-Identifier: MIT
#include "ui/targets/targetstore.h"

#include "engine/core/smallfile.h"
#include "engine/remote/serveraddress.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QSaveFile>
#include <QUuid>

#include <algorithm>

namespace isol8::ui {

using namespace Qt::StringLiterals;

namespace {
constexpr qint64 maxFileBytes = 1 << 20;
constexpr qsizetype maxNameLength = 60;
} // namespace

TargetStore::TargetStore(const QString& path)
    : m_path(path)
{
    read();
}

QString TargetStore::freshId()
{
    return QUuid::createUuid().toString(QUuid::WithoutBraces);
}

void TargetStore::read()
{
    const auto bytes = readSmallFile(m_path, maxFileBytes);
    if (!bytes)
        return;
    for (const auto& value : QJsonDocument::fromJson(*bytes).array()) {
        const auto object = value.toObject();
        const Target target { object[u"id"].toString(), object[u"name"].toString(),
            object[u"address"].toString() };
        if (!target.id.isEmpty() && remote::parseServerAddress(target.address))
            m_servers << target;
    }
}

Result<> TargetStore::write() const
{
    QJsonArray array;
    for (const auto& server : m_servers)
        array << QJsonObject { { u"id"_s, server.id }, { u"name"_s, server.name },
            { u"address"_s, server.address } };
    QSaveFile file(m_path);
    if (!file.open(QIODevice::WriteOnly)
        || !file.setPermissions(QFileDevice::ReadOwner | QFileDevice::WriteOwner)
        || file.write(QJsonDocument(array).toJson()) < 0 || !file.commit())
        return failure(Kind::Denied, m_path + u": "_s + file.errorString());
    return {};
}

QList<Target> TargetStore::targets() const
{
    return QList<Target> { localTarget() } + m_servers;
}

Target TargetStore::find(const QString& id) const
{
    const auto found = std::ranges::find(m_servers, id, &Target::id);
    return found == m_servers.cend() ? localTarget() : *found;
}

Result<> TargetStore::keep(const Target& target)
{
    const auto address = remote::parseServerAddress(target.address);
    if (!address)
        return std::unexpected(address.error());
    if (target.name.trimmed().isEmpty() || target.name.size() > maxNameLength)
        return failure(
            Kind::Invalid, tr("A server needs a name of 1 to %1 characters").arg(maxNameLength));
    auto kept = target;
    kept.name = target.name.trimmed();
    kept.address = address->toString();
    const auto found = std::ranges::find(m_servers, target.id, &Target::id);
    if (found == m_servers.end())
        m_servers << kept;
    else
        *found = kept;
    auto written = write();
    Q_EMIT changed();
    return written;
}

void TargetStore::remove(const QString& id)
{
    if (m_servers.removeIf([&id](const Target& server) { return server.id == id; }) == 0)
        return;
    (void)write();
    Q_EMIT changed();
}

} // namespace isol8::ui
