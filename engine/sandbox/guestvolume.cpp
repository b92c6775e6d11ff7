// SPDX-License-Identifier: MIT
#include "engine/sandbox/guestvolume.h"

#include "engine/core/logging.h"
#include "engine/files/tar.h"
#include "engine/guest/guestbinary.h"
#include "engine/guest/protocol.h"
#include "engine/images/imagename.h"
#include "engine/sandbox/labels.h"

#include <KTar>
#include <QBuffer>
#include <QDateTime>
#include <QDir>
#include <QFileInfo>
#include <QSaveFile>
#include <QUuid>

namespace isol8 {

namespace {

using namespace Qt::StringLiterals;
using ClientPointer = std::shared_ptr<docker::Client>;

constexpr std::chrono::hours verificationInterval { 1 };
constexpr qint64 maxArchiveBytes = 32LL << 20;

QString mountTarget()
{
    return QString::fromLatin1(guest::mountPath);
}

/// The stamp belongs to one volume: a volume that was made anew has another creation time.
QString stampPath(const QString& stateDirectory, const docker::VolumeDetails& volume)
{
    return u"%1/verified/%2-%3"_s.arg(stateDirectory, volume.name)
        .arg(volume.created.toSecsSinceEpoch());
}

bool isRecentlyVerified(const QString& stamp)
{
    const QFileInfo info(stamp);
    if (!info.exists())
        return false;
    const auto age = info.lastModified().secsTo(QDateTime::currentDateTime());
    return age >= 0 && age < std::chrono::seconds(verificationInterval).count();
}

void writeStamp(const QString& stamp)
{
    const QFileInfo info(stamp);
    QDir().mkpath(info.path());
    for (const auto& old : QDir(info.path()).entryList(QDir::Files))
        QFile::remove(info.path() + u'/' + old);
    QSaveFile file(stamp);
    if (!file.open(QIODevice::WriteOnly) || !file.commit())
        qCDebug(logSandbox) << "cannot write" << stamp
                            << "so the guest is verified again next time";
}

/// A container that is only created, to reach the volume's content; with it the volume comes to be.
docker::ContainerSpec helperSpec(const QString& image, const QString& volume, const QString& owner)
{
    docker::ContainerSpec spec;
    spec.image = image;
    spec.entrypoint = { QString::fromLatin1(guest::executablePath) };
    spec.hasStdin = false;
    spec.isNetworkDisabled = true;
    spec.capabilitiesDropped = { u"ALL"_s };
    spec.securityOptions = { u"no-new-privileges"_s };
    spec.volumes = { { volume, mountTarget(), /*isReadOnly=*/false } };
    spec.labels = { { labels::managed, u"true"_s }, { labels::owner, owner },
        { labels::kind, u"helper"_s } };
    return spec;
}

/// True if the volume holds exactly our guest as an executable.
Task<bool> holdsOurGuest(ClientPointer client, QString container, CancelToken cancel)
{
    auto archive = co_await client->fetchArchive(
        container, QString::fromLatin1(guest::executablePath), maxArchiveBytes, cancel);
    if (!archive) {
        if (archive.error().kind == Kind::NotFound || archive.error().kind == Kind::Limit)
            co_return false;
        co_return std::unexpected(archive.error());
    }
    QBuffer buffer(&*archive);
    KTar tar(&buffer);
    if (!tar.open(QIODevice::ReadOnly))
        co_return false;
    const auto* file = tar.directory()->file(u"guest"_s);
    co_return file && file->data() == guestBinary() && (file->permissions() & 0777) == 0555;
}

Task<> verifyOrFill(ClientPointer client, QString container, CancelToken cancel)
{
    const auto isOurs = co_await holdsOurGuest(client, container, cancel);
    if (!isOurs)
        co_return std::unexpected(isOurs.error());
    if (*isOurs)
        co_return {};
    TarEntry entry;
    entry.path = u"guest"_s;
    entry.content = guestBinary();
    entry.mode = 0555;
    const auto tar = tarOf({ entry });
    if (!tar)
        co_return std::unexpected(tar.error());
    qCDebug(logSandbox) << "filling the volume" << guestVolumeName();
    co_return co_await client->putArchive(container, mountTarget(), *tar, cancel);
}

} // namespace

QString guestVolumeName()
{
    return u"isol8-guest-"_s + guestHash();
}

Task<QString> ensureGuestVolume(
    ClientPointer client, QString image, QString stateDirectory, QString owner, CancelToken cancel)
{
    const auto name = guestVolumeName();
    const auto found = co_await client->inspectVolume(name, cancel);
    if (found && isRecentlyVerified(stampPath(stateDirectory, *found)))
        co_return name;
    if (!found && found.error().kind != Kind::NotFound)
        co_return std::unexpected(found.error());
    if (!found) {
        const auto made
            = co_await client->createVolume(name, { { labels::managed, u"true"_s } }, cancel);
        if (!made)
            co_return std::unexpected(made.error().within(u"making the guest's volume"_s));
    }

    const auto container = u"isol8-helper-"_s + QUuid::createUuid().toString(QUuid::Id128);
    const auto created
        = co_await client->createContainer(helperSpec(image, name, owner), container, cancel);
    if (!created && created.error().kind == Kind::NotFound)
        co_return std::unexpected(missingImage(image));
    if (!created)
        co_return std::unexpected(created.error().within(u"preparing the guest's volume"_s));
    const auto filled = co_await verifyOrFill(client, *created, cancel);
    const auto removed = co_await client->removeContainer(*created);
    if (!removed)
        qCWarning(logSandbox) << "helper container" << created->left(12)
                              << "was not removed:" << removed.error().message;
    if (!filled)
        co_return std::unexpected(filled.error().within(u"preparing the guest's volume"_s));
    const auto volume = co_await client->inspectVolume(name, cancel);
    if (volume)
        writeStamp(stampPath(stateDirectory, *volume));
    co_return name;
}

} // namespace isol8
