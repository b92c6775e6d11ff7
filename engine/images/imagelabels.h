// SPDX-License-Identifier: MIT
#pragma once

#include <QString>

// The labels on every image that isol8 makes. They are inherited by images derived from ours, so an
// image is ours only when isol8.tag names one of its own tags.
namespace isol8::imagelabels {

inline const QString managed = QStringLiteral("isol8.managed"); ///< Always "true".
inline const QString tag = QStringLiteral("isol8.tag"); ///< The tag that it was made for.
inline const QString hash = QStringLiteral("isol8.hash"); ///< Of its recipe.
inline const QString base = QStringLiteral("isol8.base"); ///< Id of the image below it.
inline const QString source
    = QStringLiteral("isol8.source"); ///< Of the shared base: registry or debian.
inline const QString runtime = QStringLiteral("isol8.runtime"); ///< Runtime name.
inline const QString dependencies
    = QStringLiteral("isol8.dependencies"); ///< Packages, a comma between.
inline const QString setup = QStringLiteral("isol8.setup"); ///< The script in Base64.
inline const QString custom = QStringLiteral("isol8.custom"); ///< "true" on what `build` makes.
inline const QString build
    = QStringLiteral("isol8.build"); ///< Of an unfinished image: owner and build.

} // namespace isol8::imagelabels
