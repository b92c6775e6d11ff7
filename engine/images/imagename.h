// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/error.h"
#include "engine/core/execution.h"

#include <QString>

/// Names of images and of what is installed in them.
namespace isol8 {

/// `isol8:python` and so on.
[[nodiscard]] QString baseImageTag(Runtime runtime);
/// `isol8:python-custom`: where `setup --python …` and the key `dependencies` bake their packages.
[[nodiscard]] QString customImageTag(Runtime runtime);
/// `isol8:base`, the layer that all of them share.
[[nodiscard]] QString sharedBaseTag();

/// A tag that `build --tag` may take: `name` or `host/path/name`, optionally `:tag`; lower case as
/// Docker wants it, no digest, and none of isol8's own base images. Kind::Invalid says what is
/// wrong.
[[nodiscard]] Result<> validateTag(const QString& tag);

/// A package as @p runtime's package manager names it, with an optional version: `numpy==2.1`,
/// `@types/node@22`, `npm:chalk`, `ripgrep`. URLs, paths, options and anything that a shell would
/// read specially are Kind::Invalid.
[[nodiscard]] Result<> validatePackageName(Runtime runtime, const QString& name);

} // namespace isol8
