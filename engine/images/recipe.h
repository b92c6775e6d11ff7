// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/execution.h"
#include "engine/images/imagetypes.h"

#include <QByteArray>
#include <QList>
#include <QString>
#include <QStringList>

/// What is in the images: pure functions, so that a test sees each change of a hash.
namespace isol8 {

/// The processor of the daemon's machine.
enum class Architecture { Amd64, Arm64 };

/// A package of the npm registry, pinned. Its tar file has to match @c integrity.
struct Artifact {
    QString title; ///< For the user: "Node.js"; empty: belongs to the one before.
    QString package;
    QString version;
    QString integrity; ///< `sha512-` and base64, as the registry states it.
    QString from; ///< File or directory in the tar, without a slash at its end; `*`: the only one.
    QString to; ///< Where that goes in the image, without a leading slash.
    QStringList left; ///< Entries of @c from that stay out; `*.map`: files so called, everywhere.

    /// Below the registry @p registry.
    [[nodiscard]] QString url(const QString& registry) const;
};

struct Link {
    QString path; ///< In the image, without a leading slash.
    QString target;
};

/// How a runtime's image differs from the shared base.
struct RuntimeRecipe {
    Runtime runtime = Runtime::Bash;
    QList<Artifact> artifacts;
    QList<Link> links;
    QStringList environment; ///< NAME=value

    /// The Dockerfile over `isol8:base`; files come from `rootfs/` of the context. @p buildId marks
    /// unfinished images.
    [[nodiscard]] QByteArray dockerfile(const QString& buildId) const;
    /// Differs whenever anything in the image would, apart from the base's content.
    [[nodiscard]] QString hash() const;
};
[[nodiscard]] RuntimeRecipe recipeOf(Runtime runtime, Architecture architecture);

/// The shared base, a Debian.
namespace baserecipe {
[[nodiscard]] QString suite();
[[nodiscard]] QStringList packages();
/// Bash, run as root in the new root file system when all packages are in it.
[[nodiscard]] QByteArray finishScript();
[[nodiscard]] QStringList environment();
/// Options for dpkg that keep manuals and translations out.
[[nodiscard]] QStringList dpkgOptions();
[[nodiscard]] QString registryImage(); ///< What the source Registry starts from.
/// Wants `finish` and `dpkg` beside it.
[[nodiscard]] QByteArray registryDockerfile(const QString& buildId);
[[nodiscard]] QString hash();
} // namespace baserecipe

/// How packages and a script get into an image.
namespace customrecipe {
/// Bash that installs its arguments with @p runtime's package manager, as root.
[[nodiscard]] QByteArray installScript(Runtime runtime);
/// Bash that applies the files of the build directory and then removes them; its arguments are
/// NAME=value for the installation, `--` and packages.
[[nodiscard]] QByteArray runScript();
/// Environment of the installation: @p registry (empty: the manager's default) and the bundle.
[[nodiscard]] QStringList environment(Runtime runtime, const QString& registry);
/// Wants `run`, `install`, `setup` and `ca.crt` in `build/`. @p buildId marks unfinished images.
[[nodiscard]] QByteArray dockerfile(
    const CustomImageSpec& spec, const QString& registry, const QString& buildId);
/// Independent of the order and repetition of packages.
[[nodiscard]] QString hash(const CustomImageSpec& spec, const QString& registry);
} // namespace customrecipe

} // namespace isol8
