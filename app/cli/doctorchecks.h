// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/execution.h"
#include "engine/core/task.h"
#include "engine/docker/endpoint.h"
#include "engine/docker/types.h"

#include <memory>

namespace isol8 {
namespace docker {
class Client;
}
} // namespace isol8

namespace isol8::cli {

/// One condition of a run.
struct Check {
    enum class Status { Good, Warning, Bad };
    QString name;
    Status status = Status::Good;
    QString detail;
    QString fix; ///< What to do; empty when good.
};

[[nodiscard]] QList<Check> checkVersion(
    const docker::Endpoint& endpoint, const Result<docker::ServerVersion>& version);
/// Control groups and their controllers, seccomp.
[[nodiscard]] QList<Check> checkInfo(const Result<docker::ServerInfo>& info);
/// Every runtime's image and, by them, the clock; appended to @p checks, which must live that long.
/// A runtime that could run; none without an image.
[[nodiscard]] QCoro::Task<std::optional<Runtime>> checkImages(
    std::shared_ptr<docker::Client> client, QList<Check>* checks);
[[nodiscard]] QCoro::Task<Check> checkGuestVolume(std::shared_ptr<docker::Client> client);
/// Space in isol8's own state directory and for images being built.
[[nodiscard]] Check checkDisk();

} // namespace isol8::cli
