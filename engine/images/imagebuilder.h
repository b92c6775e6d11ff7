// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/task.h"
#include "engine/images/imagename.h"
#include "engine/images/imagetypes.h"

#include <memory>

namespace isol8 {

namespace docker {
class Client;
}

/// Makes the images that code runs in. Each call takes the lock of the state directory first, so
/// one isol8 at a time builds. A call that fails or is cancelled leaves the image that was there
/// before and nothing else: no unnamed image, container, mount or file. What a killed isol8 left is
/// removed by the next call.
class ImageBuilder {
public:
    ImageBuilder(std::shared_ptr<docker::Client> client, ImageSettings settings);
    ~ImageBuilder();
    Q_DISABLE_COPY_MOVE(ImageBuilder)

    /// Makes `isol8:<runtime>`, and `isol8:base` below it where that is missing or old. False: it
    /// was up to date. Runtime::Agent is Kind::Invalid.
    [[nodiscard]] Task<bool> buildBase(
        Runtime runtime, Rebuild rebuild, ImageEventHandler handler, CancelToken cancel = {});

    /// Makes an image with packages and the effect of a script; its id. The base image is made
    /// where it is missing. An image that holds just that already is left alone unless the spec
    /// says otherwise.
    [[nodiscard]] Task<QString> buildCustom(
        CustomImageSpec spec, ImageEventHandler handler, CancelToken cancel = {});

    /// Images of buildCustom(), by tag.
    [[nodiscard]] Task<QList<CustomImage>> listCustom(CancelToken cancel = {});
    /// Every tag of ours that is there, `isol8:base` last, for asking before removeAll().
    [[nodiscard]] Task<QStringList> listAll(CancelToken cancel = {});

    /// Removes what newer images replaced and what killed builds left; the number of images.
    [[nodiscard]] Task<int> removeSuperseded(CancelToken cancel = {});
    /// Removes every image of ours; the tags that are gone. An image that a container uses stays,
    /// and images that others derived from ours are not ours.
    [[nodiscard]] Task<QStringList> removeAll(CancelToken cancel = {});

private:
    struct State;
    std::shared_ptr<State> m_state;
};

} // namespace isol8
