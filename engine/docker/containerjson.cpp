// SPDX-License-Identifier: MIT
#include "engine/docker/containerjson.h"

#include <QJsonArray>

namespace isol8::docker {

using namespace Qt::StringLiterals;

namespace {

QJsonObject tmpfsJson(const QList<TmpfsMount>& mounts)
{
    QJsonObject object;
    for (const auto& mount : mounts)
        object.insert(mount.target, mount.options);
    return object;
}

QJsonArray mountsJson(const ContainerSpec& spec)
{
    QJsonArray array;
    for (const auto& mount : spec.volumes)
        array.append(QJsonObject { { u"Type"_s, u"volume"_s }, { u"Source"_s, mount.volume },
            { u"Target"_s, mount.target }, { u"ReadOnly"_s, mount.isReadOnly },
            { u"VolumeOptions"_s, QJsonObject { { u"NoCopy"_s, true } } } });
    for (const auto& mount : spec.binds) {
        if (mount.source.isEmpty())
            continue;
        array.append(QJsonObject { { u"Type"_s, u"bind"_s }, { u"Source"_s, mount.source },
            { u"Target"_s, mount.target }, { u"ReadOnly"_s, true },
            { u"BindOptions"_s, QJsonObject { { u"Propagation"_s, u"private"_s } } } });
    }
    return array;
}

QJsonArray ulimitsJson(const QList<Ulimit>& ulimits)
{
    QJsonArray array;
    for (const auto& ulimit : ulimits)
        array.append(QJsonObject {
            { u"Name"_s, ulimit.name }, { u"Soft"_s, ulimit.soft }, { u"Hard"_s, ulimit.hard } });
    return array;
}

QJsonObject hostJson(const ContainerSpec& spec)
{
    QJsonObject host {
        { u"NetworkMode"_s, spec.networkMode },
        { u"AutoRemove"_s, spec.isRemovedOnExit },
        { u"ReadonlyRootfs"_s, spec.isRootReadOnly },
        { u"Privileged"_s, false },
        { u"Init"_s, false },
        { u"CapDrop"_s, QJsonArray::fromStringList(spec.capabilitiesDropped) },
        { u"CapAdd"_s, QJsonArray::fromStringList(spec.capabilitiesAdded) },
        { u"SecurityOpt"_s, QJsonArray::fromStringList(spec.securityOptions) },
        { u"Tmpfs"_s, tmpfsJson(spec.tmpfs) },
        { u"Mounts"_s, mountsJson(spec) },
        { u"Ulimits"_s, ulimitsJson(spec.ulimits) },
        { u"Memory"_s, spec.memoryBytes },
        { u"MemorySwap"_s, spec.memorySwapBytes },
        { u"NanoCpus"_s, spec.nanoCpus },
        { u"LogConfig"_s,
            QJsonObject { { u"Type"_s, spec.logDriver }, { u"Config"_s, QJsonObject {} } } },
        { u"IpcMode"_s, spec.ipcMode },
        { u"RestartPolicy"_s, QJsonObject { { u"Name"_s, u"no"_s } } },
    };
    if (!spec.sysctls.isEmpty())
        host.insert(u"Sysctls"_s, toJson(spec.sysctls));
    if (spec.pidsLimit > 0)
        host.insert(u"PidsLimit"_s, spec.pidsLimit);
    if (spec.shmBytes > 0)
        host.insert(u"ShmSize"_s, spec.shmBytes);
    if (!spec.cgroupNamespace.isEmpty())
        host.insert(u"CgroupnsMode"_s, spec.cgroupNamespace);
    return host;
}

} // namespace

QJsonObject toJson(const Labels& labels)
{
    QJsonObject object;
    for (auto label = labels.cbegin(); label != labels.cend(); ++label)
        object.insert(label.key(), label.value());
    return object;
}

QJsonObject toJson(const ContainerSpec& spec)
{
    return {
        { u"Image"_s, spec.image },
        { u"Entrypoint"_s, QJsonArray::fromStringList(spec.entrypoint) },
        { u"Cmd"_s, QJsonArray {} },
        { u"Env"_s, QJsonArray::fromStringList(spec.environment) },
        { u"User"_s, spec.user },
        { u"WorkingDir"_s, spec.workingDirectory },
        { u"Hostname"_s, spec.hostname },
        { u"Domainname"_s, u""_s },
        { u"StopSignal"_s, spec.stopSignal },
        { u"Labels"_s, toJson(spec.labels) },
        { u"Tty"_s, false },
        { u"OpenStdin"_s, spec.hasStdin },
        { u"StdinOnce"_s, spec.hasStdin && spec.isStdinClosedOnDetach },
        { u"AttachStdin"_s, spec.hasStdin },
        { u"AttachStdout"_s, spec.hasStdin },
        { u"AttachStderr"_s, spec.hasStdin },
        { u"NetworkDisabled"_s, spec.isNetworkDisabled },
        { u"Healthcheck"_s, QJsonObject { { u"Test"_s, QJsonArray { u"NONE"_s } } } },
        { u"Volumes"_s, QJsonObject {} },
        { u"ExposedPorts"_s, QJsonObject {} },
        { u"HostConfig"_s, hostJson(spec) },
    };
}

} // namespace isol8::docker
