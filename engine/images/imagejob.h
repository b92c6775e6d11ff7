// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/task.h"
#include "engine/docker/client.h"
#include "engine/images/buildcontext.h"
#include "engine/images/imagetypes.h"
#include "engine/images/recipe.h"
#include "engine/images/workdirectory.h"

#include <memory>
#include <optional>

// The steps of ImageBuilder, for its own files only.
namespace isol8::imagejob {

/// One call of ImageBuilder while it goes on. It holds the lock; its temporary files go with it.
struct Job {
    std::shared_ptr<docker::Client> client;
    ImageSettings settings;
    ImageEventHandler handler;
    CancelToken cancel;
    std::shared_ptr<FileLock> lock;
    std::unique_ptr<WorkDirectory> work; ///< Made when something is to be built.
    bool isSharedFresh = false; ///< This builder has made the shared base already.

    void tell(ImageEvent::Kind kind, const QString& text) const
    {
        if (handler)
            handler({ kind, text });
    }
    /// Where the work directory is made.
    [[nodiscard]] QString workParent() const;
    /// The work directory, made at the first call.
    [[nodiscard]] Result<WorkDirectory*> directory();
};
using JobPointer = std::shared_ptr<Job>;

/// The image of that name, or nothing when there is none.
[[nodiscard]] Task<std::optional<docker::ImageDetails>> findImage(JobPointer job, QString name);

/// What Docker is to build.
struct BuildPlan {
    BuildContext context; ///< With its Dockerfile.
    QString buildId; ///< The one in the Dockerfile.
    QString tag;
    docker::Labels labels;
    QString networkMode; ///< Of RUN steps.
};
/// A new value for BuildPlan::buildId.
[[nodiscard]] QString newBuildId();
/// Builds and tags; the new id. The image that had the tag before is removed when it was ours. When
/// it fails or is cancelled nothing of it is left.
[[nodiscard]] Task<QString> build(JobPointer job, BuildPlan plan);

/// Makes the shared base where it is missing or old; its id.
[[nodiscard]] Task<QString> ensureShared(JobPointer job, Rebuild rebuild);
/// Makes a runtime's image; false: it was up to date.
[[nodiscard]] Task<bool> ensureRuntime(JobPointer job, Runtime runtime, Rebuild rebuild);
/// Makes a custom image; its id.
[[nodiscard]] Task<QString> ensureCustom(JobPointer job, CustomImageSpec spec);

/// Removes what builds that were killed left: images that nobody can be making, as the lock is
/// ours.
[[nodiscard]] Task<int> removeUnfinished(std::shared_ptr<docker::Client> client);

/// @p text without the terminal sequences in a build's output.
[[nodiscard]] QString withoutColours(QString text);
/// @p tag with its version: `name` is `name:latest`.
[[nodiscard]] QString fullTag(const QString& tag);
/// Whether the image @p details was made by isol8 as @p tag; images derived from ours carry our
/// labels.
[[nodiscard]] bool isOurs(const docker::ImageDetails& details, const QString& tag);

/// @p error with its context; a cancelled operation's error is always the same one.
[[nodiscard]] std::unexpected<Error> failedWithin(const Error& error, const QString& context);

/// Why installing in a build failed: @p error of Docker with the end of the output in its message.
[[nodiscard]] Error installFailure(const Error& error, Runtime runtime);

} // namespace isol8::imagejob
