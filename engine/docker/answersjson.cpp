// SPDX-License-Identifier: MIT
#include "engine/docker/answersjson.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QTimeZone>

#include <limits>

namespace isol8::docker {

using namespace Qt::StringLiterals;

namespace {

/// Reads keys of one object and remembers the first that is not as it must be.
class ObjectReader {
public:
    ObjectReader(QJsonObject object, QString what)
        : m_object(std::move(object))
        , m_what(std::move(what))
    {
    }

    QString requiredString(const QString& key)
    {
        const auto value = m_object.value(key);
        if (!value.isString())
            blame(key);
        return value.toString();
    }

    qint64 requiredInteger(const QString& key)
    {
        const auto value = m_object.value(key);
        constexpr auto none = std::numeric_limits<qint64>::min();
        const auto number = value.toInteger(none);
        if (number == none)
            blame(key);
        return number == none ? 0 : number;
    }

    ObjectReader requiredObject(const QString& key)
    {
        const auto value = m_object.value(key);
        if (!value.isObject())
            blame(key);
        return { value.toObject(), m_what + u'.' + key };
    }

    [[nodiscard]] ObjectReader object(const QString& key) const
    {
        return { m_object.value(key).toObject(), m_what + u'.' + key };
    }

    [[nodiscard]] QString string(const QString& key) const
    {
        return m_object.value(key).toString();
    }
    [[nodiscard]] qint64 integer(const QString& key) const
    {
        return m_object.value(key).toInteger();
    }
    [[nodiscard]] bool boolean(const QString& key) const { return m_object.value(key).toBool(); }
    [[nodiscard]] QJsonArray array(const QString& key) const
    {
        return m_object.value(key).toArray();
    }
    [[nodiscard]] bool contains(const QString& key) const { return m_object.contains(key); }

    [[nodiscard]] QStringList strings(const QString& key) const
    {
        QStringList list;
        for (const auto& value : array(key))
            list << value.toString();
        return list;
    }

    [[nodiscard]] Labels labels(const QString& key) const
    {
        Labels labels;
        const auto object = m_object.value(key).toObject();
        for (auto label = object.begin(); label != object.end(); ++label)
            labels.insert(label.key(), label.value().toString());
        return labels;
    }

    void blame(const QString& key)
    {
        if (m_blamed.isEmpty())
            m_blamed = m_what + u'.' + key;
    }

    template <typename T>
    Result<T> finish(T value, std::initializer_list<const ObjectReader*> parts = {})
    {
        for (const auto* part : parts) {
            if (m_blamed.isEmpty())
                m_blamed = part->m_blamed;
        }
        if (m_blamed.isEmpty())
            return value;
        return failure(Kind::Protocol, u"Docker's answer has no valid %1"_s.arg(m_blamed));
    }

private:
    QJsonObject m_object;
    QString m_what;
    QString m_blamed;
};

QString withoutSlash(const QString& name)
{
    return name.startsWith(u'/') ? name.sliced(1) : name;
}

Result<ContainerSummary> summaryFrom(const QJsonObject& object)
{
    ObjectReader reader(object, u"container"_s);
    ContainerSummary summary;
    summary.id = reader.requiredString(u"Id"_s);
    for (const auto& name : reader.strings(u"Names"_s))
        summary.names << withoutSlash(name);
    summary.image = reader.string(u"Image"_s);
    summary.state = reader.requiredString(u"State"_s);
    summary.labels = reader.labels(u"Labels"_s);
    summary.created = QDateTime::fromSecsSinceEpoch(reader.integer(u"Created"_s), QTimeZone::UTC);
    return reader.finish(summary);
}

Result<ImageDetails> imageFrom(const QJsonObject& object)
{
    ObjectReader reader(object, u"image"_s);
    ImageDetails image;
    image.id = reader.requiredString(u"Id"_s);
    for (const auto& tag : reader.strings(u"RepoTags"_s)) {
        if (tag != u"<none>:<none>"_s)
            image.tags << tag;
    }
    // The list gives labels and seconds, inspect a configuration and RFC 3339.
    image.labels = reader.labels(u"Labels"_s);
    if (reader.contains(u"Config"_s))
        image.labels = reader.object(u"Config"_s).labels(u"Labels"_s);
    const auto created = reader.string(u"Created"_s);
    image.created = created.isEmpty()
        ? QDateTime::fromSecsSinceEpoch(reader.integer(u"Created"_s), QTimeZone::UTC)
        : QDateTime::fromString(created, Qt::ISODateWithMs).toUTC();
    image.sizeBytes = reader.integer(u"Size"_s);
    return reader.finish(image);
}

Result<VolumeDetails> volumeFrom(const QJsonObject& object)
{
    ObjectReader reader(object, u"volume"_s);
    VolumeDetails volume;
    volume.name = reader.requiredString(u"Name"_s);
    volume.labels = reader.labels(u"Labels"_s);
    return reader.finish(volume);
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
    ObjectReader reader(*object, u"answer"_s);
    const auto value = reader.requiredString(key);
    return reader.finish(value);
}

Result<ServerVersion> versionFromAnswer(const QByteArray& body)
{
    const auto object = objectFromAnswer(body);
    if (!object)
        return std::unexpected(object.error());
    ObjectReader reader(*object, u"version"_s);
    ServerVersion version;
    version.version = reader.requiredString(u"Version"_s);
    version.apiVersion = reader.requiredString(u"ApiVersion"_s);
    version.minimumApiVersion = reader.string(u"MinAPIVersion"_s);
    for (const auto& component : reader.array(u"Components"_s)) {
        const ObjectReader part(component.toObject(), u"version.Components"_s);
        if (part.string(u"Name"_s) == u"runc"_s)
            version.runcVersion = part.string(u"Version"_s);
    }
    return reader.finish(version);
}

Result<ServerInfo> infoFromAnswer(const QByteArray& body)
{
    const auto object = objectFromAnswer(body);
    if (!object)
        return std::unexpected(object.error());
    ObjectReader reader(*object, u"info"_s);
    ServerInfo info;
    info.serverId = reader.string(u"ID"_s);
    info.operatingSystem = reader.string(u"OperatingSystem"_s);
    info.architecture = reader.requiredString(u"Architecture"_s);
    info.cgroupVersion = reader.string(u"CgroupVersion"_s);
    info.cgroupDriver = reader.string(u"CgroupDriver"_s);
    info.dataRoot = reader.string(u"DockerRootDir"_s);
    info.storageDriver = reader.string(u"Driver"_s);
    info.securityOptions = reader.strings(u"SecurityOptions"_s);
    info.hasSwapLimit = reader.boolean(u"SwapLimit"_s);
    info.hasMemoryLimit = reader.boolean(u"MemoryLimit"_s);
    info.hasPidsLimit = reader.boolean(u"PidsLimit"_s);
    info.hasCpuQuota = reader.boolean(u"CpuCfsQuota"_s);
    info.warnings = reader.strings(u"Warnings"_s);
    info.cpus = int(reader.integer(u"NCPU"_s));
    return reader.finish(info);
}

Result<ContainerDetails> containerFromAnswer(const QByteArray& body)
{
    const auto object = objectFromAnswer(body);
    if (!object)
        return std::unexpected(object.error());
    ObjectReader reader(*object, u"container"_s);
    auto state = reader.requiredObject(u"State"_s);
    ContainerDetails container;
    container.id = reader.requiredString(u"Id"_s);
    container.name = withoutSlash(reader.requiredString(u"Name"_s));
    container.imageId = reader.string(u"Image"_s);
    container.labels = reader.object(u"Config"_s).labels(u"Labels"_s);
    container.status = state.requiredString(u"Status"_s);
    container.isRunning = state.boolean(u"Running"_s);
    container.isOutOfMemory = state.boolean(u"OOMKilled"_s);
    container.exitCode = int(state.requiredInteger(u"ExitCode"_s));
    container.pid = int(state.integer(u"Pid"_s));
    return reader.finish(container, { &state });
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
    ObjectReader reader(*object, u"wait"_s);
    const int code = int(reader.requiredInteger(u"StatusCode"_s));
    if (const auto message = reader.object(u"Error"_s).string(u"Message"_s); !message.isEmpty())
        return failure(Kind::Internal, message);
    return reader.finish(code);
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
