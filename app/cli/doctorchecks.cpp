// SPDX-License-Identifier: MIT
#include "app/cli/doctorchecks.h"

#include "app/cli/dockerage.h"
#include "engine/core/names.h"
#include "engine/core/units.h"
#include "engine/docker/client.h"
#include "engine/images/imagename.h"
#include "engine/sandbox/guestvolume.h"

#include <QDir>
#include <QStorageInfo>
#include <QVersionNumber>

namespace isol8::cli {

using namespace Qt::StringLiterals;

namespace {

const QVersionNumber oldestApi(1, 41);
constexpr qint64 wantedFreeBytes = 2LL << 30; ///< One runtime's image while it is made.
constexpr std::chrono::minutes clockTolerance { 5 };

Check good(const QString& name, const QString& detail)
{
    return { name, Check::Status::Good, detail, {} };
}

Check bad(const QString& name, const QString& detail, const QString& fix)
{
    return { name, Check::Status::Bad, detail, fix };
}

Check warning(const QString& name, const QString& detail, const QString& fix)
{
    return { name, Check::Status::Warning, detail, fix };
}

} // namespace

QList<Check> checkVersion(
    const docker::Endpoint& endpoint, const Result<docker::ServerVersion>& version)
{
    const auto where = u"%1 (%2)"_s.arg(endpoint.toString(), endpoint.origin);
    if (!version)
        return {
            bad(u"docker"_s, version.error().message,
                version.error().kind == Kind::Denied
                    ? u"Join Docker's group: sudo usermod -aG docker $USER, then log in again"_s
                    : u"Install and start Docker: sudo apt-get install docker.io && sudo systemctl start docker"_s)
        };
    QList<Check> checks { good(u"docker"_s, u"%1 answers at %2"_s.arg(version->version, where)) };
    if (QVersionNumber::fromString(version->apiVersion) < oldestApi)
        checks << bad(u"api"_s, u"version %1"_s.arg(version->apiVersion),
            u"Update Docker to 20.10 or newer"_s);
    else
        checks << good(u"api"_s, u"version %1"_s.arg(version->apiVersion));
    for (const auto& sentence : dockerAgeWarnings(*version))
        checks << warning(u"age"_s, sentence, {});
    return checks;
}

QList<Check> checkInfo(const Result<docker::ServerInfo>& info)
{
    if (!info)
        return { bad(
            u"info"_s, info.error().message, u"Look at Docker's log: journalctl -u docker"_s) };
    QList<Check> checks;
    QStringList missing;
    if (!info->hasMemoryLimit)
        missing << u"memory"_s;
    if (!info->hasPidsLimit)
        missing << u"pids"_s;
    if (!info->hasCpuQuota)
        missing << u"cpu"_s;
    const auto cgroup = u"version %1, driver %2"_s.arg(info->cgroupVersion, info->cgroupDriver);
    if (missing.isEmpty())
        checks << good(u"cgroup"_s, cgroup);
    else
        checks << bad(u"cgroup"_s, u"%1; missing: %2"_s.arg(cgroup, missing.join(u", "_s)),
            u"Enable the controllers: on the kernel's command line (cgroup_enable=memory), or "
            u"delegate "
            "them to a rootless Docker (systemctl edit user@.service, Delegate=cpu memory pids)"_s);
    if (info->hasMemoryLimit && !info->hasSwapLimit)
        checks << warning(u"swap"_s, u"swap is not limited, so memory limits are soft"_s,
            u"Boot with swapaccount=1, or turn swap off"_s);
    const bool hasSeccomp
        = std::any_of(info->securityOptions.cbegin(), info->securityOptions.cend(),
            [](const QString& option) { return option.contains(u"seccomp"_s); });
    checks << (hasSeccomp
            ? good(u"seccomp"_s, u"supported"_s)
            : bad(u"seccomp"_s, u"Docker does not support it"_s,
                  u"Use a kernel with CONFIG_SECCOMP_FILTER and a Docker built with seccomp"_s));
    return checks;
}

QCoro::Task<std::optional<Runtime>> checkImages(
    std::shared_ptr<docker::Client> client, QList<Check>* checks)
{
    std::optional<Runtime> ready;
    QStringList missing;
    QDateTime newest;
    for (const auto runtime :
        { Runtime::Python, Runtime::Node, Runtime::Bun, Runtime::Deno, Runtime::Bash }) {
        const auto image = co_await client->inspectImage(baseImageTag(runtime));
        if (image) {
            ready = ready.value_or(runtime);
            newest = std::max(newest, image->created);
        } else {
            missing << runtimeName(runtime);
        }
    }
    if (missing.isEmpty())
        checks->append(good(u"images"_s, u"all runtimes"_s));
    else if (ready)
        checks->append(
            warning(u"images"_s, u"missing: "_s + missing.join(u", "_s), u"Run: isol8 setup"_s));
    else
        checks->append(bad(u"images"_s, u"there are none"_s, u"Run: isol8 setup"_s));
    const auto now = QDateTime::currentDateTimeUtc();
    if (newest.isValid() && newest > now.addDuration(clockTolerance))
        checks->append(bad(u"clock"_s,
            u"it says %1, but an image was made at %2"_s.arg(
                now.toString(Qt::ISODate), newest.toUTC().toString(Qt::ISODate)),
            u"Set the clock: sudo timedatectl set-ntp true"_s));
    else
        checks->append(good(u"clock"_s, now.toString(Qt::ISODate)));
    co_return ready;
}

QCoro::Task<Check> checkGuestVolume(std::shared_ptr<docker::Client> client)
{
    const auto name = guestVolumeName();
    const auto volume = co_await client->inspectVolume(name);
    if (volume)
        co_return good(u"guest"_s, name);
    if (volume.error().kind == Kind::NotFound)
        co_return good(u"guest"_s, u"%1 will be made by the first run"_s.arg(name));
    co_return bad(
        u"guest"_s, volume.error().message, u"Remove it and run again: docker volume rm "_s + name);
}

Check checkDisk()
{
    const QStorageInfo storage(QDir::homePath());
    const auto detail
        = u"%1 free on %2"_s.arg(formatSize(storage.bytesAvailable()), storage.rootPath());
    if (!storage.isValid() || storage.bytesAvailable() < wantedFreeBytes)
        return bad(u"disk"_s, detail, u"Free some space, for example: docker image prune"_s);
    return good(u"disk"_s, detail);
}

} // namespace isol8::cli
