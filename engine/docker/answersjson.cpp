// SPDX-License-Identifier: MIT
#include "engine/docker/answersjson.h"

#include "engine/core/jsonreader.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QTimeZone>

#include <limits>

namespace isol8::docker {

using namespace Qt::StringLiterals;

namespace {

JsonReader readerOf(const QJsonObject& object, const QString& what)
{
    return { object, what, Kind::Protocol };
}

template <typename T> void readRequired(JsonReader& reader, const QString& key, T& target)
{
    reader.require(key);
    reader.read(key, target);
}

void readRequired(JsonReader& reader, const QString& key, int& target)
{
    reader.require(key);
    reader.readWhole(key, target, std::numeric_limits<int>::min(), std::numeric_limits<int>::max());
}

void readCount(JsonReader& reader, const QString& key, qint64& target)
{
    // As far as a double is exact; Docker's sizes and seconds are far below.
    reader.readWhole(key, target, std::numeric_limits<int>::min(), 1LL << 53);
}

/// @p value, or the first error of @p readers.
template <typename T> Result<T> finish(T value, std::initializer_list<const JsonReader*> readers)
{
    for (const auto* reader : readers) {
        if (const auto& error = reader->error())
            return std::unexpected(error->within(u"Docker's answer"_s));
    }
    return value;
}

QString withoutSlash(const QString& name)
{
    return name.startsWith(u'/') ? name.sliced(1) : name;
}

Result<ContainerSummary> summaryFrom(const QJsonObject& object)
{
    auto reader = readerOf(object, u"container"_s);
    ContainerSummary summary;
    QStringList names;
    qint64 created = 0;
    readRequired(reader, u"Id"_s, summary.id);
    reader.read(u"Names"_s, names);
    reader.read(u"Image"_s, summary.image);
    readRequired(reader, u"State"_s, summary.state);
    reader.read(u"Labels"_s, summary.labels);
    readCount(reader, u"Created"_s, created);
    for (const auto& name : std::as_const(names))
        summary.names << withoutSlash(name);
    summary.created = QDateTime::fromSecsSinceEpoch(created, QTimeZone::UTC);
    return finish(summary, { &reader });
}

Result<ImageDetails> imageFrom(const QJsonObject& object)
{
    auto reader = readerOf(object, u"image"_s);
    ImageDetails image;
    QStringList tags;
    readRequired(reader, u"Id"_s, image.id);
    reader.read(u"RepoTags"_s, tags);
    readCount(reader, u"Size"_s, image.sizeBytes);
    tags.removeAll(u"<none>:<none>"_s);
    image.tags = tags;

    // The list gives labels and seconds, inspect a configuration and RFC 3339.
    reader.read(u"Labels"_s, image.labels);
    QJsonObject configuration;
    reader.read(u"Config"_s, configuration);
    auto configurationReader = readerOf(configuration, u"image.Config"_s);
    configurationReader.read(u"Labels"_s, image.labels);
    configurationReader.read(u"Env"_s, image.environment);
    QJsonObject volumes; // Their paths are keys.
    configurationReader.read(u"Volumes"_s, volumes);
    image.volumes = volumes.keys();
    if (reader.value(u"Created"_s).isString()) {
        image.created
            = QDateTime::fromString(reader.value(u"Created"_s).toString(), Qt::ISODateWithMs);
    } else {
        qint64 created = 0;
        readCount(reader, u"Created"_s, created);
        image.created = QDateTime::fromSecsSinceEpoch(created, QTimeZone::UTC);
    }
    return finish(image, { &reader, &configurationReader });
}

Result<VolumeDetails> volumeFrom(const QJsonObject& object)
{
    auto reader = readerOf(object, u"volume"_s);
    VolumeDetails volume;
    readRequired(reader, u"Name"_s, volume.name);
    reader.read(u"Labels"_s, volume.labels);
    return finish(volume, { &reader });
}

Result<QJsonArray> arrayFromAnswer(const QByteArray& body)
{
    const auto document = QJsonDocument::fromJson(body);
    if (!document.isArray())
        return failure(Kind::Protocol, u"Docker's answer is not a JSON list"_s);
    return document.array();
}

template <typename T>
Result<QList<T>> listFrom(const QJsonArray& array, Result<T> (*parse)(const QJsonObject&))
{
    QList<T> list;
    list.reserve(array.size());
    for (const auto& value : array) {
        auto item = parse(value.toObject());
        if (!item)
            return std::unexpected(item.error());
        list << *std::move(item);
    }
    return list;
}

QString runcVersion(const QJsonArray& components)
{
    for (const auto& component : components) {
        if (component[u"Name"_s].toString() == u"runc"_s)
            return component[u"Version"_s].toString();
    }
    return {};
}

} // namespace

Result<QJsonObject> objectFromAnswer(const QByteArray& body)
{
    const auto document = QJsonDocument::fromJson(body);
    if (!document.isObject())
        return failure(Kind::Protocol, u"Docker's answer is not a JSON object"_s);
    return document.object();
}

Result<QString> stringFromAnswer(const QByteArray& body, const QString& key)
{
    const auto object = objectFromAnswer(body);
    if (!object)
        return std::unexpected(object.error());
    auto reader = readerOf(*object, {});
    QString value;
    readRequired(reader, key, value);
    return finish(value, { &reader });
}

Result<QStringList> warningsFromAnswer(const QByteArray& body)
{
    const auto object = objectFromAnswer(body);
    if (!object)
        return std::unexpected(object.error());
    auto reader = readerOf(*object, {});
    QStringList warnings;
    reader.read(u"Warnings"_s, warnings);
    return finish(warnings, { &reader });
}

Result<ServerVersion> versionFromAnswer(const QByteArray& body)
{
    const auto object = objectFromAnswer(body);
    if (!object)
        return std::unexpected(object.error());
    auto reader = readerOf(*object, u"version"_s);
    ServerVersion version;
    readRequired(reader, u"Version"_s, version.version);
    readRequired(reader, u"ApiVersion"_s, version.apiVersion);
    reader.read(u"MinAPIVersion"_s, version.minimumApiVersion);
    version.runcVersion = runcVersion(reader.value(u"Components"_s).toArray());
    return finish(version, { &reader });
}

Result<ServerInfo> infoFromAnswer(const QByteArray& body)
{
    const auto object = objectFromAnswer(body);
    if (!object)
        return std::unexpected(object.error());
    auto reader = readerOf(*object, u"info"_s);
    ServerInfo info;
    reader.read(u"ID"_s, info.serverId);
    reader.read(u"OperatingSystem"_s, info.operatingSystem);
    readRequired(reader, u"Architecture"_s, info.architecture);
    reader.read(u"CgroupVersion"_s, info.cgroupVersion);
    reader.read(u"CgroupDriver"_s, info.cgroupDriver);
    reader.read(u"DockerRootDir"_s, info.dataRoot);
    reader.read(u"Driver"_s, info.storageDriver);
    reader.read(u"SecurityOptions"_s, info.securityOptions);
    reader.read(u"SwapLimit"_s, info.hasSwapLimit);
    reader.read(u"MemoryLimit"_s, info.hasMemoryLimit);
    reader.read(u"PidsLimit"_s, info.hasPidsLimit);
    reader.read(u"CpuCfsQuota"_s, info.hasCpuQuota);
    reader.read(u"Warnings"_s, info.warnings);
    reader.readWhole(u"NCPU"_s, info.cpus, 0, std::numeric_limits<int>::max());
    return finish(info, { &reader });
}

Result<ContainerDetails> containerFromAnswer(const QByteArray& body)
{
    const auto object = objectFromAnswer(body);
    if (!object)
        return std::unexpected(object.error());
    auto reader = readerOf(*object, u"container"_s);
    ContainerDetails container;
    QJsonObject configurationObject;
    QJsonObject stateObject;
    readRequired(reader, u"Id"_s, container.id);
    readRequired(reader, u"Name"_s, container.name);
    reader.read(u"Image"_s, container.imageId);
    reader.read(u"Config"_s, configurationObject);
    readRequired(reader, u"State"_s, stateObject);
    container.name = withoutSlash(container.name);

    auto configuration = readerOf(configurationObject, u"container.Config"_s);
    configuration.read(u"Labels"_s, container.labels);
    auto state = readerOf(stateObject, u"container.State"_s);
    readRequired(state, u"Status"_s, container.status);
    readRequired(state, u"ExitCode"_s, container.exitCode);
    state.read(u"Running"_s, container.isRunning);
    state.read(u"OOMKilled"_s, container.isOutOfMemory);
    state.readWhole(u"Pid"_s, container.pid, 0, std::numeric_limits<int>::max());
    return finish(container, { &reader, &configuration, &state });
}

Result<QList<ContainerSummary>> containersFromAnswer(const QByteArray& body)
{
    const auto array = arrayFromAnswer(body);
    if (!array)
        return std::unexpected(array.error());
    return listFrom(*array, summaryFrom);
}

Result<int> exitCodeFromAnswer(const QByteArray& body)
{
    const auto object = objectFromAnswer(body);
    if (!object)
        return std::unexpected(object.error());
    auto reader = readerOf(*object, u"wait"_s);
    int code = 0;
    readRequired(reader, u"StatusCode"_s, code);
    const auto message = reader.value(u"Error"_s)[u"Message"_s].toString();
    if (!message.isEmpty())
        return failure(Kind::Internal, message);
    return finish(code, { &reader });
}

Result<ImageDetails> imageFromAnswer(const QByteArray& body)
{
    const auto object = objectFromAnswer(body);
    if (!object)
        return std::unexpected(object.error());
    return imageFrom(*object);
}

Result<QList<ImageDetails>> imagesFromAnswer(const QByteArray& body)
{
    const auto array = arrayFromAnswer(body);
    if (!array)
        return std::unexpected(array.error());
    return listFrom(*array, imageFrom);
}

Result<VolumeDetails> volumeFromAnswer(const QByteArray& body)
{
    const auto object = objectFromAnswer(body);
    if (!object)
        return std::unexpected(object.error());
    return volumeFrom(*object);
}

Result<QList<VolumeDetails>> volumesFromAnswer(const QByteArray& body)
{
    const auto object = objectFromAnswer(body);
    if (!object)
        return std::unexpected(object.error());
    return listFrom(object->value(u"Volumes"_s).toArray(), volumeFrom);
}

} // namespace isol8::docker
