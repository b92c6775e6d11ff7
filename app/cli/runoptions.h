// SPDX-License-Identifier: MIT
#pragma once

#include "app/cli/options.h"

namespace isol8::cli {

/// The flags of `run` as they were typed; planRun() gives them their meaning.
struct RunOptions {
    // What to run.
    std::optional<QString> file;
    std::optional<QByteArray> eval;
    std::optional<QString> command;
    std::optional<QString> runtime;
    std::optional<QString> url;
    std::optional<QString> github;
    std::optional<QString> gist;
    std::optional<QString> hash;
    bool allowInsecureCodeUrl = false;
    QStringList arguments; ///< After `--`.
    std::optional<QByteArray> stdinData;
    QStringList install;
    QStringList setup;
    std::optional<QString> workingDirectory;
    std::optional<QString> filesDirectory;
    QStringList environment;
    QStringList secrets;
    std::optional<QString> agentFlags;

    // In what.
    std::optional<QString> network;
    QStringList allow;
    QStringList deny;
    QStringList allowHost;
    QStringList denyHost;
    bool logNetwork = false;
    bool persistent = false;
    std::optional<QString> sessionId;
    bool persist = false;
    std::optional<QString> timeout;
    std::optional<QString> memory;
    std::optional<QString> cpu;
    std::optional<QString> pidsLimit;
    std::optional<QString> image;
    bool writable = false;
    std::optional<QString> maxOutput;
    std::optional<QString> sandboxSize;
    std::optional<QString> tmpSize;
    std::optional<QString> host;
    std::optional<QString> key;

    // How it shows.
    std::optional<QString> out;
    bool noStream = false;
    bool json = false;
    bool tty = false;
    bool debug = false;
    QStringList get;
};

void defineRunOptions(OptionSet& set, RunOptions& options);

} // namespace isol8::cli
