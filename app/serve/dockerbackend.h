// SPDX-License-Identifier: MIT
#pragma once

#include "app/serve/service.h"

namespace isol8 {
class DockerEngine;
class ImageBuilder;
namespace docker {
class Client;
}
} // namespace isol8

namespace isol8::serve {

/// The server's backend on a Docker daemon.
[[nodiscard]] Backend dockerBackend(std::shared_ptr<DockerEngine> engine,
    std::shared_ptr<docker::Client> client, std::shared_ptr<ImageBuilder> images);

} // namespace isol8::serve
