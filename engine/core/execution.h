// SPDX-License-Identifier: MIT
#pragma once

#include <QByteArray>
#include <QDateTime>
#include <QJsonObject>
#include <QList>
#include <QMap>
#include <QString>
#include <QStringList>

#include <chrono>
#include <optional>

namespace isol8 {

enum class Runtime { Python, Node, Bun, Deno, Bash, Agent };
enum class NetworkMode { None, Host, Filtered };
enum class Mode { Ephemeral, Persistent };
enum class SeccompMode { Strict, Unconfined, Custom };
enum class Channel { Stdout, Stderr };
enum class Phase { Install, Setup, Code };

/// One thing to run. Exactly one of code, command and codeUrl is set.
struct ExecutionRequest {
    QByteArray code;
    QString command; ///< Run through `bash -c`.
    QString codeUrl;
    QString codeHash; ///< Required SHA-256 of what codeUrl gives, hexadecimal; empty: any.
    bool allowInsecureCodeUrl = false;
    Runtime runtime = Runtime::Python;
    QString fileExtension; ///< With its dot; empty: the runtime's own.
    QStringList arguments; ///< Of the program.
    QMap<QString, QString> environment;
    std::optional<QByteArray>
        stdinData; ///< Not set: standard input is what Run::writeStdin() gives.
    bool isStdinLive = false; ///< Keep standard input open for Run::writeStdin() and closeStdin().
    QMap<QString, QByteArray>
        files; ///< Put before the run; paths below `/sandbox`, or relative to it.
    QString filesDirectory; ///< A directory on this machine to put below `/sandbox`; empty: none.
    QStringList outputPaths; ///< Fetched after the run into ExecutionResult::files.
    QStringList installPackages;
    QString setupScript; ///< Bash, runs before the code; empty: none.
    QString workingDirectory = QStringLiteral("/sandbox");
    QString agentFlags;
    std::optional<std::chrono::milliseconds> timeout; ///< Overrides ExecutionOptions::timeout.
    /// How much of each stream's beginning ExecutionResult keeps; none: all of it. What
    /// Run::outputReceived() tells is not affected.
    std::optional<qint64> keptOutputBytes;
    bool isUsageReported = false; ///< Signal Run::usageReported() while it runs, where possible.
    bool hasTerminal = false; ///< Run on a pseudo-terminal; stderr then arrives as stdout.
    int terminalRows = 24;
    int terminalColumns = 80;
    QJsonObject metadata; ///< The caller's own, copied to the audit log.
    QString executionId; ///< A UUID without braces; empty: the engine gives one.
    QString tenant; ///< Whose run it is, for the audit log; empty: nobody's in particular.
};

/// What a sandbox with filtered networking may reach. Patterns are ECMAScript regular expressions
/// searched in the host name.
struct NetworkFilter {
    QStringList allow; ///< Empty: every public host.
    QStringList deny; ///< Decides before both other lists.
    QStringList operatorAllow; ///< The operator's own list, which a host must match as well; empty:
                               ///< every host.
    QList<int> ports { 80, 443 };
    bool isPrivateAllowed = false; ///< Also loopback, private, link-local and such addresses.
    QStringList allowAddresses; ///< Exceptions to the refusal of private addresses, `host:port`.

    bool operator==(const NetworkFilter&) const = default;
};

/// One request that the filter decided on, as `networkLogs` shows it.
struct NetworkLogEntry {
    QDateTime timestamp; ///< UTC.
    QString method;
    QString host; ///< Canonical; with its port where that is not the scheme's own.
    std::optional<QString> path; ///< None for CONNECT.
    bool isAllowed = false;
    std::chrono::microseconds duration {};
    QString rule; ///< What decided: a pattern, or the name of a built-in rule.

    bool operator==(const NetworkLogEntry&) const = default;
};

/// How a sandbox is made: limits, isolation, image. Sizes in bytes.
struct ExecutionOptions {
    Mode mode = Mode::Ephemeral;
    NetworkMode network = NetworkMode::None;
    NetworkFilter networkFilter;
    bool isNetworkLogged = false;
    double cpuLimit = 1.0; ///< Cores.
    qint64 memoryLimitBytes = 512LL << 20;
    int pidsLimit = 64;
    qint64 sandboxSizeBytes = 512LL << 20;
    qint64 tmpSizeBytes = 256LL << 20;
    qint64 maxOutputBytes = 1LL << 20; ///< Per stream.
    bool isRootReadOnly = true;
    std::chrono::milliseconds timeout { 30'000 }; ///< For install, setup and run together.
    QMap<QString, QString>
        secrets; ///< Environment variables whose values are masked in all output.
    QString image; ///< Empty: the runtime's own image.
    bool isKept = false; ///< `--persist`: keep the container for inspection.
    SeccompMode seccomp = SeccompMode::Strict;
    QString seccompProfilePath; ///< For SeccompMode::Custom.
    QString tenant; ///< Whose run it is: a used sandbox is only ever used again for the same one.
    QString caBundlePath; ///< PEM file that programs trust in addition; empty: none.
    QMap<Runtime, QString> registries; ///< Package index for installs; absent: the image's own.
};

/// How a run ended, as http-api.md's `ending.reason`.
enum class EndReason {
    Exited,
    Signal,
    Timeout,
    OutOfMemory,
    Pids,
    Disk,
    OutputLimit,
    Cancelled,
    SetupFailed,
    InstallFailed,
    EngineLost,
};

struct Ending {
    EndReason reason = EndReason::Exited;
    QString limit; ///< The option whose limit was reached; empty: none.
    QString value; ///< Its value.

    bool operator==(const Ending&) const = default;
};

struct Violation {
    QString kind; ///< disk, read-only, pids, host, …
    QString detail;
    QString allowWith; ///< The option that would allow it.

    bool operator==(const Violation&) const = default;
};

/// Durations of a run's steps.
struct PhaseTimes {
    std::chrono::microseconds queue {};
    std::chrono::microseconds acquire {};
    std::chrono::microseconds install {};
    std::chrono::microseconds setup {};
    std::chrono::microseconds run {};

    bool operator==(const PhaseTimes&) const = default;
};

struct ExecutionResult {
    QByteArray
        standardOutput; ///< Masked and bounded bytes, not trimmed; JSON trims and decodes them.
    QByteArray standardError;
    int exitCode = 0; ///< 137 for time-out, out-of-memory and cancel; 128 + n for signal n.
    QString signal; ///< For example SIGSEGV; empty: none.
    Ending ending;
    bool isTruncated = false;
    bool isTimedOut = false;
    bool isOutOfMemory = false;
    QString executionId; ///< UUID without braces.
    Runtime runtime = Runtime::Python;
    QDateTime timestamp; ///< Start, UTC.
    std::chrono::microseconds duration {};
    std::chrono::microseconds cpuTime {};
    qint64 peakMemoryBytes = 0;
    QString containerId;
    QString imageDigest;
    QMap<QString, QByteArray> files;
    QStringList missingFiles; ///< Of outputPaths, with the reason after a colon.
    PhaseTimes phases;
    QList<Violation> violations;
    QList<NetworkLogEntry> networkLogs; ///< Empty unless ExecutionOptions::isNetworkLogged.
    qint64 networkBytesIn = 0; ///< To the sandbox, through the filter.
    qint64 networkBytesOut = 0;

    bool operator==(const ExecutionResult&) const = default;
};

/// What a program uses while it runs.
struct RunUsage {
    std::chrono::microseconds cpuTime {}; ///< Of all its processes since its start.
    qint64 memoryBytes = 0; ///< Now, with what it keeps in the sandbox's file systems.

    bool operator==(const RunUsage&) const = default;
};

struct FileEntry {
    enum class Type { File, Directory, Link, Other };
    QString name;
    Type type = Type::File;
    qint64 sizeBytes = 0;
    QDateTime modified;
    int mode = 0; ///< Permission bits.
};

/// A named session as `session list` shows it.
struct SessionInfo {
    QString id;
    QString containerId;
    Runtime runtime = Runtime::Python;
    bool isActive = false; ///< A run is going on in it now.
    QDateTime created; ///< Invalid: the server does not say.
    QDateTime lastUsed; ///< The same.
};

} // namespace isol8
