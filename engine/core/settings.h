// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/error.h"
#include "engine/core/execution.h"

namespace isol8 {

struct PrebuiltImage {
    QString tag;
    Runtime runtime = Runtime::Python;
    QStringList installPackages;
    QString setupScript; ///< Empty: none.

    bool operator==(const PrebuiltImage&) const = default;
};

enum class PoolStrategy { Fast, Secure };

/// What follows when the audit log cannot be written.
enum class AuditFailure {
    Warn, ///< A warning; code runs all the same, and lines may be lost.
    Refuse, ///< No code runs until it can be written.
};

/// The resolved configuration: every key of config.md with its default. Sizes are bytes; patterns
/// are ECMAScript regular expressions searched in the host name.
struct Settings {
    using Milliseconds = std::chrono::milliseconds;

    int maxConcurrent = 10;
    bool debug = false;
    PoolStrategy poolStrategy = PoolStrategy::Fast;

    struct PoolSize {
        int clean = 1;
        int dirty = 1;
        bool operator==(const PoolSize&) const = default;
    } poolSize;

    struct Pool {
        bool prestart = true; ///< Keep an interpreter started in each warm container.
        Milliseconds idle { 300'000 }; ///< Unused ones beyond poolSize.clean end after this.
        int maxReuses = 1000; ///< Of one container.
        qint64 maxMemoryBytes = 2LL << 30; ///< Of all unused containers together.
        bool operator==(const Pool&) const = default;
    } pool;

    struct Defaults {
        Milliseconds timeout { 30'000 };
        qint64 memoryLimitBytes = 512LL << 20;
        double cpuLimit = 1.0;
        NetworkMode network = NetworkMode::None;
        qint64 sandboxSizeBytes = 512LL << 20;
        qint64 tmpSizeBytes = 256LL << 20;
        bool isRootReadOnly = true;
        bool operator==(const Defaults&) const = default;
    } defaults;

    struct Network {
        QStringList whitelist;
        QStringList blacklist; ///< Decides before whitelist.
        bool allowPrivate = false;
        QStringList allowAddresses; ///< `host:port`.
        QList<int> ports { 80, 443 };
        QString caBundle; ///< Path of a PEM file; empty: none.
        bool operator==(const Network&) const = default;
    } network;

    struct Cleanup {
        bool autoPrune = true;
        Milliseconds maxContainerAge { 3'600'000 };
        bool operator==(const Cleanup&) const = default;
    } cleanup;

    struct Security {
        SeccompMode seccomp = SeccompMode::Strict;
        QString customProfilePath;
        bool uidRange = false; ///< A user id of its own for each container.
        bool operator==(const Security&) const = default;
    } security;

    struct RemoteCode {
        bool enabled = false;
        QStringList allowedSchemes { QStringLiteral("https") };
        QStringList allowedHosts; ///< Patterns; empty: every host that is not blocked.
        QStringList blockedHosts; ///< Patterns; default: loopback, private and metadata hosts.
        qint64 maxCodeBytes = 10LL << 20;
        Milliseconds fetchTimeout { 30'000 };
        bool requireHash = false;
        bool enableCache = true;
        std::chrono::seconds cacheLifetime { 3600 };

        RemoteCode();
        bool operator==(const RemoteCode&) const = default;
    } remoteCode;

    struct Audit {
        bool enabled = false;
        bool toStdout = false; ///< `destination`: `filesystem` or `stdout`.
        QString logDirectory; ///< Empty: $ISOL8_AUDIT_DIR, else ./.isol8_audit.
        QString postLogScript; ///< Empty: none.
        bool trackResources = true;
        int retentionDays = 90;
        bool includeCode = false;
        bool includeOutput = false;
        AuditFailure onFailure = AuditFailure::Warn;
        qint64 maxFileBytes = 64LL << 20; ///< The file is put aside before it grows beyond.
        Milliseconds scriptTimeout { 30'000 }; ///< Of one start of postLogScript.
        bool operator==(const Audit&) const = default;
    } audit;

    struct Auth {
        bool enabled = false;
        QString connectionString; ///< Empty: ~/.isol8/auth.db.
        Milliseconds defaultTtl { 86'400'000 };
        Milliseconds cleanupInterval { 3'600'000 };
        bool operator==(const Auth&) const = default;
    } auth;

    QMap<Runtime, QStringList> dependencies; ///< Packages that `setup` bakes in.
    QList<PrebuiltImage> prebuiltImages;
    QMap<Runtime, QString> registries; ///< Index URLs for package installs.

    struct Serve {
        QString accessLog; ///< Path of a file, `-` for standard output; empty: none.
        qint64 maxBodyBytes = 64LL << 20;
        qint64 maxHeaderBytes = 32LL << 10;
        int maxHeaderFields = 100;
        int maxConnections = 1024;
        int maxConnectionsPerAddress = 64; ///< Raise it behind a reverse proxy.
        int maxQueue = 100; ///< Requests that wait for a place; more get 429.
        int maxConcurrentPerTenant = 0; ///< 0: maxConcurrent alone counts.
        int maxSessions = 100;
        Milliseconds headerTimeout { 10'000 };
        Milliseconds bodyTimeout { 30'000 }; ///< Between two pieces of a body.
        Milliseconds idleTimeout { 60'000 }; ///< Of a kept-alive connection between requests.
        Milliseconds queueTimeout { 30'000 };
        Milliseconds drain { 10'000 }; ///< For what runs after SIGTERM.
        Milliseconds keepResults { 300'000 }; ///< For GET /executions/:id.
        bool keepSessions = false; ///< Leave the sessions to the next server at the end.
        Milliseconds sessionGrace { 3'600'000 }; ///< How long a session lives without a server.

        /// What a client without the master key may ask for at most.
        struct Policy {
            Milliseconds maxTimeout { 600'000 };
            qint64 maxMemoryBytes = 4LL << 30;
            double maxCpu = 4;
            int maxPids = 1024;
            qint64 maxSandboxBytes = 4LL << 30;
            qint64 maxTmpBytes = 2LL << 30;
            qint64 maxOutputBytes = 64LL << 20;
            bool allowHostNetwork = false;
            bool allowForeignImages = false;
            bool allowPersist = false;
            bool allowWritableRoot = false; ///< It takes space of this machine's disk.
            bool allowCustomSeccomp = false; ///< Also `unconfined`.
            bool allowRemoteCode = false;
            bool operator==(const Policy&) const = default;
        } policy;
        bool operator==(const Serve&) const = default;
    } serve;

    struct Cli {
        bool spare = true; ///< Leave one started, untouched container behind for the next run.
        Milliseconds spareIdle { 300'000 };
        bool operator==(const Cli&) const = default;
    } cli;

    bool operator==(const Settings&) const = default;
};

struct LoadedSettings {
    Settings settings;
    QString path; ///< The file that was used; empty: none, the defaults.
    bool isTrusted = true; ///< False: a project's file without `config --trust`.
    QStringList ignoredKeys; ///< Keys left at their defaults for want of trust.
    QStringList warnings; ///< Sentences for the user: unknown and ignored keys.
};

/// Whether a project's own file may set keys that weaken the sandbox or run something on this
/// machine.
enum class ConfigTrust {
    Required, ///< Only when the user trusted it: run, setup, build, the window.
    Given, ///< The operator's own file: serve; and for checking a file.
};

/// `./isol8.config.json` in @p workingDirectory, else `~/.isol8/config.json` below @p home: the
/// first that exists, over the defaults. Errors are Kind::Invalid (or of reading) and name the
/// file, and where known the line, column, key, value and what is allowed.
[[nodiscard]] Result<LoadedSettings> loadSettings(const QString& workingDirectory,
    const QString& home, ConfigTrust trust = ConfigTrust::Required);

/// One named file, trusted; for `config --validate FILE`.
[[nodiscard]] Result<LoadedSettings> loadSettingsFile(const QString& path);

/// Every key, in the form that a configuration file has.
[[nodiscard]] QJsonObject toJson(const Settings& settings);

/// The options of an execution that asks for nothing special.
[[nodiscard]] ExecutionOptions defaultOptions(const Settings& settings);

} // namespace isol8
