// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/execution.h"
#include "engine/images/imagetypes.h"

#include <QMap>

/// How packages get into a sandbox at run time, below /sandbox and as the sandbox's user: pure
/// functions.
namespace isol8::installrecipe {

/// Name of the package manager: pip, npm, bun, deno, apt.
[[nodiscard]] QString managerName(Runtime runtime);

/// Shell that makes the image's package manager tell where it gets packages; indexUrlsIn() reads
/// its output. Run with questionEnvironment(): what is below /sandbox must not have a say.
[[nodiscard]] QByteArray question(Runtime runtime);
[[nodiscard]] QByteArrayList questionEnvironment(const QStringList& imageEnvironment);
/// HTTP URLs of the indexes; the manager's public one where it names none.
[[nodiscard]] QStringList indexUrlsIn(Runtime runtime, const QByteArray& answer);
/// Hosts that packages come from: of the URLs, and those that a public index is known to keep its
/// files on.
[[nodiscard]] QStringList hostsOf(const QStringList& indexUrls);
/// @p filter for an install: the user's allow list and @p hosts, and nothing else.
[[nodiscard]] NetworkFilter filterFor(NetworkFilter filter, const QStringList& hosts);

/// Shell that installs its arguments.
[[nodiscard]] QByteArray script(Runtime runtime);
/// Variables for script(); @p registry empty: the manager's own.
[[nodiscard]] QMap<QString, QString> environment(
    Runtime runtime, const QString& registry, const QStringList& imageEnvironment);
/// Variables for programs, to find what script() has installed. @p before: those that they would
/// have otherwise.
[[nodiscard]] QMap<QString, QString> environmentAfter(
    Runtime runtime, const QMap<QString, QString>& before);

/// The tag of the image for @p runtime that has @p packages: one that was made for exactly these,
/// else the one with the fewest others; empty: none has them all.
[[nodiscard]] QString imageWith(
    const QStringList& packages, Runtime runtime, const QList<CustomImage>& images);

} // namespace isol8::installrecipe
