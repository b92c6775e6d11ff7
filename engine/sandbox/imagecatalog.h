// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/execution.h"
#include "engine/core/task.h"
#include "engine/docker/client.h"

#include <QHash>

namespace isol8 {

/// An image that was chosen for a run.
struct ImageChoice {
    QString name;
    docker::ImageDetails details;
};

/// The daemon's images by name. What it was told is remembered only while somebody listens to
/// Docker's events and says when images change; else every question goes to Docker.
class ImageCatalog {
public:
    explicit ImageCatalog(std::shared_ptr<docker::Client> client);
    ~ImageCatalog();
    Q_DISABLE_COPY_MOVE(ImageCatalog)

    /// The image that was asked for; else the runtime's with baked packages, where `setup` made
    /// one; else the runtime's base image. Kind::NotFound says how to get it.
    [[nodiscard]] Task<ImageChoice> choose(Runtime runtime, QString asked, CancelToken cancel);

    /// Whether every change is told from now on.
    void setRemembering(bool isRemembering);
    /// Images have changed.
    void forget();

    struct State;

private:
    std::shared_ptr<State> m_state;
};

} // namespace isol8
