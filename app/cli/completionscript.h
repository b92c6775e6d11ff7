// SPDX-License-Identifier: MIT
#pragma once

#include <QList>
#include <QStringList>

#include <optional>

namespace isol8::cli {

struct CompletedOption {
    QStringList names; ///< With their dashes; none for a positional.
    QString help;
    bool takesValue = false;
    QStringList choices; ///< Of its value.
    bool isFile = false;
    bool isDirectory = false;
};

struct CompletedCommand {
    QString name;
    QString help;
    QList<CompletedOption> options;
    std::optional<CompletedOption> positional;
    QList<CompletedCommand> commands;
};

// Scripts that complete @p root and everything below it.
[[nodiscard]] QString bashCompletion(const CompletedCommand& root);
[[nodiscard]] QString zshCompletion(const CompletedCommand& root);
[[nodiscard]] QString fishCompletion(const CompletedCommand& root);

} // namespace isol8::cli
