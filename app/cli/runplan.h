// SPDX-License-Identifier: MIT
#pragma once

#include "app/cli/runoptions.h"
#include "app/cli/surroundings.h"
#include "engine/core/execution.h"
#include "engine/core/settings.h"

namespace isol8::cli {

/// A file to fetch out of the sandbox.
struct FetchedFile {
    QString path; ///< As typed.
    QString localPath;

    bool operator==(const FetchedFile&) const = default;
};

/// A run, decided in full before Docker is asked.
struct RunPlan {
    ExecutionRequest request;
    ExecutionOptions options;
    QString sessionId;
    QList<FetchedFile> fetchedFiles;
    QStringList warnings;
};

/// The values of `--secret`, by name. No error contains a value.
[[nodiscard]] Result<QMap<QString, QString>> planSecrets(
    const QStringList& typed, const Surroundings& surroundings);

/// Gives the flags their meaning: source, runtime and limits, flags over settings over defaults.
/// Errors are sentences for the user and may contain secrets that were typed: mask them.
[[nodiscard]] Result<RunPlan> planRun(
    const RunOptions& options, const Settings& settings, const Surroundings& surroundings);

} // namespace isol8::cli
