// SPDX-License-Identifier: MIT
#include "engine/sandbox/policy.h"

#include "engine/core/names.h"
#include "engine/core/smallfile.h"
#include "engine/guest/protocol.h"
#include "engine/sandbox/labels.h"
#include "engine/sandbox/seccompprofile.h"

#include <QJsonDocument>
#include <QJsonObject>

#include <cmath>

namespace isol8 {

namespace {

using namespace Qt::StringLiterals;

constexpr qint64 shmBytes = 64LL << 20;
constexpr qint64 openFiles = 1024;
constexpr qint64 maxProfileBytes = 1LL << 20;

QString kindName(SandboxKind kind)
{
    switch (kind) {
    case SandboxKind::Run:
        return u"run"_s;
    case SandboxKind::Pool:
        return u"pool"_s;
    case SandboxKind::Spare:
        return u"spare"_s;
    case SandboxKind::Session:
        return u"session"_s;
    case SandboxKind::Kept:
        return u"kept"_s;
    }
    return {};
}

docker::TmpfsMount tmpfs(
    const QString& target, qint64 sizeBytes, const QString& flags, bool isOwned)
{
    const auto owner = isOwned
        ? u",uid=%1,gid=%2,mode=0755"_s.arg(guest::sandboxUid).arg(guest::sandboxGid)
        : u",mode=1777"_s;
    return { target, u"rw,nosuid,nodev,%1,size=%2"_s.arg(flags).arg(sizeBytes) + owner };
}

Result<QString> customProfile(const QString& path)
{
    auto content = readSmallFile(path, maxProfileBytes);
    if (!content)
        return std::unexpected(content.error().within(u"security.customProfilePath"_s));
    const auto document = QJsonDocument::fromJson(*content);
    if (!document.isObject() || !document.object().contains(u"defaultAction"_s))
        return failure(Kind::Invalid,
            u"security.customProfilePath: %1 is not a seccomp profile (a JSON object with defaultAction)"_s
                .arg(path));
    return QString::fromUtf8(document.toJson(QJsonDocument::Compact));
}

Result<QStringList> securityOptions(const ExecutionOptions& options)
{
    QStringList list { u"no-new-privileges"_s };
    switch (options.seccomp) {
    case SeccompMode::Strict:
        list << u"seccomp="_s + strictSeccompProfile();
        break;
    case SeccompMode::Unconfined:
        list << u"seccomp=unconfined"_s;
        break;
    case SeccompMode::Custom: {
        const auto profile = customProfile(options.seccompProfilePath);
        if (!profile)
            return std::unexpected(profile.error());
        list << u"seccomp="_s + *profile;
        break;
    }
    }
    return list;
}

} // namespace

Result<docker::ContainerSpec> containerSpec(
    const ExecutionOptions& options, const SandboxPlan& plan)
{
    docker::ContainerSpec spec;

    // 1. Process 1 is the guest, from a read-only volume; the image's own entrypoint, user,
    // directory,
    //    health check, volumes and stop signal never count.
    spec.image = plan.image;
    spec.entrypoint = { QString::fromLatin1(guest::executablePath) };
    const bool isLingering = plan.kind == SandboxKind::Session || plan.kind == SandboxKind::Kept;
    if (isLingering || plan.kind == SandboxKind::Spare)
        spec.entrypoint << (isLingering ? u"--linger"_s : u"--spare"_s)
                        << QString::number(plan.linger.count());
    spec.volumes = { { plan.guestVolume, QString::fromLatin1(guest::mountPath), true } };

    // A direct socket's folder, which Sandbox::create() makes: it is empty again before any program
    // runs, cannot be written from inside, and nobody else is given the same. A custom profile may
    // end a guest that connects.
    if (plan.kind != SandboxKind::Spare && options.seccomp != SeccompMode::Custom)
        spec.binds = { { {}, QString::fromLatin1(guest::hostMountPath) } };

    // 2. The guest is root with just the capabilities to become uid 100 for good (SETPCAP empties
    // the
    //    program's bounding set) and to kill what that user started. The program has none.
    spec.user = u"0:0"_s;
    spec.capabilitiesDropped = { u"ALL"_s };
    spec.capabilitiesAdded = { u"SETUID"_s, u"SETGID"_s, u"SETPCAP"_s, u"KILL"_s };

    // 3. No new privileges; an allow-list of system calls.
    auto security = securityOptions(options);
    if (!security)
        return std::unexpected(security.error());
    spec.securityOptions = *security;

    // 4. Nothing can be written but three bounded tmpfs; /tmp cannot hold programs.
    spec.isRootReadOnly = options.isRootReadOnly;
    spec.tmpfs = { tmpfs(u"/sandbox"_s, options.sandboxSizeBytes, u"exec"_s, true),
        tmpfs(u"/tmp"_s, options.tmpSizeBytes, u"noexec"_s, false) };
    spec.shmBytes = shmBytes;
    // An image's VOLUME would be a writable folder on the daemon's disk: an empty read-only tmpfs
    // instead.
    for (const auto& path : plan.imageVolumes) {
        if (path != "/sandbox"_L1 && path != "/tmp"_L1)
            spec.tmpfs.append({ path, u"ro,nosuid,nodev,noexec,size=65536"_s });
    }

    // 5. No network interface but loopback, unless the host's own network was asked for. Without
    //    libnetwork the container starts in half the time, but Docker then writes no /etc/hosts:
    //    our own images carry one, others get Docker's.
    if (options.network == NetworkMode::Host) {
        spec.networkMode = u"host"_s;
    } else {
        spec.networkMode = u"none"_s;
        spec.isNetworkDisabled = plan.isOwnImage;
    }

    // A closed connection keeps its port for a minute otherwise, and the next run could not have
    // it.
    if (plan.kind == SandboxKind::Pool)
        spec.sysctls = { { u"net.ipv4.tcp_max_tw_buckets"_s, u"0"_s } };

    // 6. Memory without swap, processor time, processes, descriptors; no core files.
    spec.memoryBytes = options.memoryLimitBytes;
    spec.memorySwapBytes = options.memoryLimitBytes;
    spec.nanoCpus = std::llround(options.cpuLimit * 1e9);
    // The guest itself and its file worker are counted too, and its zygote, which only a pool has.
    spec.pidsLimit = options.pidsLimit + (plan.kind == SandboxKind::Pool ? 3 : 2);
    spec.ulimits = { { u"core"_s, 0, 0 }, { u"nofile"_s, openFiles, openFiles } };

    // 7. Namespaces of its own; output never reaches the daemon's disk.
    spec.ipcMode = u"private"_s;
    spec.cgroupNamespace = u"private"_s;
    spec.logDriver = u"none"_s;

    // 8. It goes with its host, or when its time without one is over.
    spec.isRemovedOnExit = true;
    spec.isStdinClosedOnDetach = !isLingering;

    // 9. Whose it is.
    spec.labels = { { labels::managed, u"true"_s }, { labels::owner, plan.owner },
        { labels::kind, kindName(plan.kind) }, { labels::runtime, runtimeName(plan.runtime) } };
    if (!plan.session.isEmpty())
        spec.labels.insert(labels::session, plan.session);
    return spec;
}

} // namespace isol8
