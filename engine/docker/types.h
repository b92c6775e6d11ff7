// SPDX-License-Identifier: MIT
#pragma once

#include <QByteArray>
#include <QDateTime>
#include <QList>
#include <QMap>
#include <QString>
#include <QStringList>

#include <functional>
#include <optional>

namespace isol8::docker {

using Labels = QMap<QString, QString>;

struct TmpfsMount {
    QString target;
    QString options; ///< As mount(8) takes them: `rw,nosuid,nodev,size=…`.
    bool operator==(const TmpfsMount&) const = default;
};

struct VolumeMount {
    QString volume;
    QString target;
    bool isReadOnly = true;
    bool operator==(const VolumeMount&) const = default;
};

/// A folder of the daemon's machine, to be read; what is mounted below it later stays outside.
struct BindMount {
    QString source; ///< Empty: left out.
    QString target;
    bool operator==(const BindMount&) const = default;
};

struct Ulimit {
    QString name;
    qint64 soft = 0;
    qint64 hard = 0;
    bool operator==(const Ulimit&) const = default;
};

/// What `POST /containers/create` is asked for. Everything an image could bring along (entrypoint,
/// user, health check, stop signal, …) is always sent, so an image decides nothing by itself.
struct ContainerSpec {
    QString image;
    QStringList entrypoint; ///< Command is always empty.
    QStringList environment; ///< NAME=value, beside the image's own.
    QString user = QStringLiteral("0:0");
    QString workingDirectory = QStringLiteral("/");
    QString hostname = QStringLiteral("isol8");
    QString stopSignal = QStringLiteral("SIGKILL");
    Labels labels;
    bool hasStdin = true; ///< OpenStdin with all three streams attached; never a terminal.
    bool isStdinClosedOnDetach = true; ///< StdinOnce.
    bool isNetworkDisabled
        = false; ///< No libnetwork sandbox at all: `lo` only, Docker writes no /etc/hosts.
    QString networkMode = QStringLiteral("none");
    bool isRemovedOnExit = true;
    bool isRootReadOnly = true;
    QStringList capabilitiesDropped;
    QStringList capabilitiesAdded;
    QStringList securityOptions;
    QList<TmpfsMount> tmpfs;
    QList<VolumeMount> volumes;
    QList<BindMount> binds;
    QList<Ulimit> ulimits;
    QMap<QString, QString> sysctls; ///< Of the container's own namespaces.
    qint64 memoryBytes = 0; ///< 0: no limit.
    qint64 memorySwapBytes = 0; ///< Memory and swap together.
    qint64 nanoCpus = 0;
    int pidsLimit = 0;
    qint64 shmBytes = 0;
    QString logDriver = QStringLiteral("none");
    QString ipcMode = QStringLiteral("private");
    QString cgroupNamespace = QStringLiteral("private"); ///< Empty where the API does not know it.

    bool operator==(const ContainerSpec&) const = default;
};

struct ContainerSummary {
    QString id;
    QStringList names; ///< Without the leading slash.
    QString image;
    QString state; ///< created, running, paused, exited, dead, removing, …
    Labels labels;
    QDateTime created;
};

struct ContainerDetails {
    QString id;
    QString name;
    QString imageId;
    Labels labels;
    QString status; ///< As ContainerSummary::state.
    bool isRunning = false;
    bool isOutOfMemory = false;
    int exitCode = 0;
    int pid = 0; ///< Of process 1 on the daemon's machine.
};

struct ImageDetails {
    QString id; ///< sha256:…
    QStringList tags;
    Labels labels;
    QDateTime created;
    qint64 sizeBytes = 0;
    QString architecture; ///< As Go names it: amd64, arm64, …
    QStringList environment; ///< ENV, NAME=value; only inspectImage() tells.
    QStringList volumes; ///< Paths of VOLUME; only inspectImage() tells.
};

struct VolumeDetails {
    QString name;
    Labels labels;
    QDateTime created;
};

/// `GET /version` and `GET /info` as far as isol8 asks.
struct ServerVersion {
    QString version;
    QString apiVersion;
    QString minimumApiVersion;
    QString runcVersion; ///< Empty where the daemon does not say.
};

struct ServerInfo {
    QString serverId; ///< The daemon's own ID.
    QString operatingSystem;
    QString architecture; ///< x86_64, aarch64, …
    QString cgroupVersion; ///< "1" or "2".
    QString cgroupDriver;
    QString dataRoot;
    QString storageDriver;
    QStringList securityOptions;
    bool hasSwapLimit = false;
    bool hasMemoryLimit = false;
    bool hasPidsLimit = false;
    bool hasCpuQuota = false;
    QStringList warnings;
    int cpus = 0;
};

/// One line of a build's, pull's or import's progress.
struct Progress {
    QString status; ///< Plain text, one line or several.
    QString id; ///< The layer it is about, or empty.
    qint64 current = 0; ///< Bytes; 0 of 0 where there is no number.
    qint64 total = 0;
};
using ProgressHandler = std::function<void(const Progress&)>;

/// Something that happened in the daemon.
struct Event {
    QString type; ///< container, image, …
    QString action; ///< die, pause, tag, …
    QString id; ///< Of the container; an image's may be its name.
    bool operator==(const Event&) const = default;
};
using EventHandler = std::function<void(const Event&)>;

struct BuildSpec {
    QString contextPath; ///< A tar file with a Dockerfile at its top.
    QString tag;
    Labels labels;
    QMap<QString, QString> arguments;
    QString networkMode; ///< Empty: Docker's default.
    bool isCacheUsed = true;
};

} // namespace isol8::docker
