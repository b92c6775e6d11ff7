// SPDX-License-Identifier: MIT
#include "engine/core/settingstable.h"

#include "engine/core/names.h"
#include "engine/core/units.h"
#include "engine/core/validation.h"

#include <QJsonArray>
#include <QJsonObject>

using namespace Qt::StringLiterals;

namespace isol8 {

namespace {

constexpr double maxMilliseconds = double(maxTimeout.count());
constexpr double longestLifetime = 10.0 * 366 * 86'400'000;

QStringList textsOf(const QJsonValue& value)
{
    QStringList texts;
    for (const QJsonValue& item : value.toArray())
        texts.append(item.toString());
    return texts;
}

/// Bytes of a value that checkSetting() has passed.
qint64 sizeOf(const QJsonValue& value)
{
    return value.isString() ? parseSize(value.toString(), {}).value_or(0) : value.toInteger();
}

// How each type of the Settings stands in JSON.
QJsonValue toValue(bool value)
{
    return value;
}
QJsonValue toValue(int value)
{
    return value;
}
QJsonValue toValue(qint64 value)
{
    return value;
}
QJsonValue toValue(double value)
{
    return value;
}
QJsonValue toValue(const QString& value)
{
    return value;
}
QJsonValue toValue(const QStringList& value)
{
    return QJsonArray::fromStringList(value);
}
QJsonValue toValue(const QList<int>& value)
{
    QJsonArray array;
    for (const int item : value)
        array.append(item);
    return array;
}
template <typename Rep, typename Period>
QJsonValue toValue(std::chrono::duration<Rep, Period> value)
{
    return qint64(value.count());
}
void fromValue(bool& target, const QJsonValue& value)
{
    target = value.toBool();
}
void fromValue(int& target, const QJsonValue& value)
{
    target = value.toInt();
}
void fromValue(qint64& target, const QJsonValue& value)
{
    target = sizeOf(value);
}
void fromValue(double& target, const QJsonValue& value)
{
    target = value.toDouble();
}
void fromValue(QString& target, const QJsonValue& value)
{
    target = value.toString();
}
void fromValue(QStringList& target, const QJsonValue& value)
{
    target = textsOf(value);
}
void fromValue(QList<int>& target, const QJsonValue& value)
{
    target.clear();
    for (const QJsonValue& item : value.toArray())
        target.append(item.toInt());
}
template <typename Rep, typename Period>
void fromValue(std::chrono::duration<Rep, Period>& target, const QJsonValue& value)
{
    target = std::chrono::duration<Rep, Period>(value.toInteger());
}

/// A key whose place in Settings @p access returns by reference, for reading and writing alike.
template <typename Access>
SettingKey key(const QString& path, SettingType type, Access access, const QString& description)
{
    SettingKey made;
    made.path = path;
    made.type = type;
    made.description = description;
    made.read = [access](const Settings& settings) { return toValue(access(settings)); };
    made.write = [access](Settings& settings, const QJsonValue& value) {
        fromValue(access(settings), value);
    };
    return made;
}

SettingKey within(SettingKey made, double min, double max)
{
    made.min = min;
    made.max = max;
    return made;
}

SettingKey trusted(SettingKey made, const QStringList& untrustedChoices = {})
{
    made.needsTrust = true;
    made.untrustedChoices = untrustedChoices;
    return made;
}

template <typename Access>
SettingKey flag(const QString& path, Access access, const QString& description)
{
    return key(path, SettingType::Boolean, access, description);
}

template <typename Access>
SettingKey count(
    const QString& path, double min, double max, Access access, const QString& description)
{
    return within(key(path, SettingType::Integer, access, description), min, max);
}

template <typename Access>
SettingKey duration(const QString& path, Access access, const QString& description)
{
    return count(path, 1, maxMilliseconds, access, description);
}

template <typename Access>
SettingKey size(
    const QString& path, qint64 min, qint64 max, Access access, const QString& description)
{
    SettingKey made
        = within(key(path, SettingType::Size, access, description), double(min), double(max));
    made.read
        = [access](const Settings& settings) -> QJsonValue { return sizeText(access(settings)); };
    return made;
}

/// A choice whose texts @p toName and @p fromName know.
template <typename Access, typename ToName, typename FromName>
SettingKey choice(const QString& path, const QStringList& choices, Access access, ToName toName,
    FromName fromName, const QString& description)
{
    SettingKey made;
    made.path = path;
    made.type = SettingType::Choice;
    made.choices = choices;
    made.description = description;
    made.read = [=](const Settings& settings) -> QJsonValue { return toName(access(settings)); };
    made.write = [=](Settings& settings, const QJsonValue& value) {
        access(settings) = *fromName(value.toString());
    };
    return made;
}

QJsonValue imagesValue(const QList<PrebuiltImage>& images)
{
    QJsonArray array;
    for (const PrebuiltImage& image : images) {
        QJsonObject object { { u"tag"_s, image.tag }, { u"runtime"_s, runtimeName(image.runtime) },
            { u"installPackages"_s, QJsonArray::fromStringList(image.installPackages) } };
        if (!image.setupScript.isEmpty())
            object.insert(u"setupScript"_s, image.setupScript);
        array.append(object);
    }
    return array;
}

QList<PrebuiltImage> imagesFrom(const QJsonValue& value)
{
    QList<PrebuiltImage> images;
    for (const QJsonValue& item : value.toArray()) {
        const QJsonObject object = item.toObject();
        images.append({ object[u"tag"].toString(),
            runtimeFromName(object[u"runtime"].toString()).value_or(Runtime::Python),
            textsOf(object[u"installPackages"]), object[u"setupScript"].toString() });
    }
    return images;
}

#define ISOL8_AT(member) [](auto& settings) -> auto& { return settings.member; }

QList<SettingKey> generalKeys()
{
    using enum SettingType;
    const auto poolName = [](PoolStrategy strategy) {
        return strategy == PoolStrategy::Fast ? u"fast"_s : u"secure"_s;
    };
    const auto poolFromName = [](const QString& name) {
        return std::optional(name == "fast"_L1 ? PoolStrategy::Fast : PoolStrategy::Secure);
    };
    return {
        count(u"maxConcurrent"_s, 1, 10'000, ISOL8_AT(maxConcurrent),
            u"Executions at the same time; more wait."_s),
        flag(u"debug"_s, ISOL8_AT(debug), u"Log details to standard error."_s),
        choice(u"poolStrategy"_s, { u"fast"_s, u"secure"_s }, ISOL8_AT(poolStrategy), poolName,
            poolFromName,
            u"fast: clean and reuse warm containers; secure: use each container once."_s),
        count(u"poolSize.clean"_s, 0, 1000, ISOL8_AT(poolSize.clean),
            u"Warm containers kept ready for each image and configuration."_s),
        count(u"poolSize.dirty"_s, 0, 1000, ISOL8_AT(poolSize.dirty),
            u"Used containers that may wait for their cleaning. No pool when both are 0."_s),
        flag(u"pool.prestart"_s, ISOL8_AT(pool.prestart),
            u"Keep an interpreter started and waiting in each warm container."_s),
        duration(u"pool.idleMs"_s, ISOL8_AT(pool.idle),
            u"Time after which unused containers beyond poolSize.clean end, in milliseconds."_s),
        count(u"pool.maxReuses"_s, 1, 1'000'000, ISOL8_AT(pool.maxReuses),
            u"Runs in one container before it is replaced."_s),
        size(u"pool.maxMemory"_s, 0, maxSizeBytes, ISOL8_AT(pool.maxMemoryBytes),
            u"Memory of all unused containers together."_s),
        duration(u"defaults.timeoutMs"_s, ISOL8_AT(defaults.timeout),
            u"Time limit of install, setup and run together, in milliseconds."_s),
        size(u"defaults.memoryLimit"_s, minMemoryBytes, maxSizeBytes,
            ISOL8_AT(defaults.memoryLimitBytes), u"Memory limit."_s),
        within(key(u"defaults.cpuLimit"_s, Number, ISOL8_AT(defaults.cpuLimit),
                   u"Processor cores, also fractions."_s),
            minCpuLimit, maxCpuLimit),
        trusted(choice(u"defaults.network"_s, { u"none"_s, u"host"_s, u"filtered"_s },
                    ISOL8_AT(defaults.network), networkModeName, networkModeFromName,
                    u"Network of a sandbox: none, filtered by host name, or this machine's."_s),
            { u"host"_s }),
        size(u"defaults.sandboxSize"_s, minTmpfsBytes, maxSizeBytes,
            ISOL8_AT(defaults.sandboxSizeBytes), u"Space in /sandbox."_s),
        size(u"defaults.tmpSize"_s, minTmpfsBytes, maxSizeBytes, ISOL8_AT(defaults.tmpSizeBytes),
            u"Space in /tmp."_s),
        flag(u"defaults.readonlyRootFs"_s, ISOL8_AT(defaults.isRootReadOnly),
            u"Make everything but /sandbox and /tmp read-only."_s),
        key(u"network.whitelist"_s, PatternList, ISOL8_AT(network.whitelist),
            u"Host name patterns that filtered mode allows; empty: every public host."_s),
        key(u"network.blacklist"_s, PatternList, ISOL8_AT(network.blacklist),
            u"Host name patterns that filtered mode refuses; decides first."_s),
        trusted(flag(u"network.allowPrivate"_s, ISOL8_AT(network.allowPrivate),
            u"Let filtered mode reach loopback, private and link-local addresses."_s)),
        trusted(key(u"network.allowAddresses"_s, HostAndPortList, ISOL8_AT(network.allowAddresses),
            u"host:port exceptions to network.allowPrivate."_s)),
        within(key(u"network.ports"_s, IntegerList, ISOL8_AT(network.ports),
                   u"Ports that filtered mode allows."_s),
            1, 65'535),
        trusted(key(u"network.caBundle"_s, Text, ISOL8_AT(network.caBundle),
            u"PEM file of certificates that sandboxes trust in addition."_s)),
        flag(u"cleanup.autoPrune"_s, ISOL8_AT(cleanup.autoPrune),
            u"Remove idle sessions and what a dead isol8 left."_s),
        duration(u"cleanup.maxContainerAgeMs"_s, ISOL8_AT(cleanup.maxContainerAge),
            u"Idle time after which a session is removed, in milliseconds."_s),
        trusted(choice(u"security.seccomp"_s, { u"strict"_s, u"unconfined"_s, u"custom"_s },
            ISOL8_AT(security.seccomp), seccompName, seccompFromName,
            u"System call filter: isol8's own, none, or security.customProfilePath."_s)),
        trusted(key(u"security.customProfilePath"_s, Text, ISOL8_AT(security.customProfilePath),
            u"Seccomp profile for security.seccomp custom."_s)),
        trusted(flag(u"security.uidRange"_s, ISOL8_AT(security.uidRange),
            u"Give each container a user id of its own."_s)),
        trusted(flag(
            u"remoteCode.enabled"_s, ISOL8_AT(remoteCode.enabled), u"Allow code from URLs."_s)),
        key(u"remoteCode.allowedSchemes"_s, TextList, ISOL8_AT(remoteCode.allowedSchemes),
            u"URL schemes that code may come by."_s),
        key(u"remoteCode.allowedHosts"_s, PatternList, ISOL8_AT(remoteCode.allowedHosts),
            u"Host name patterns that code may come from; empty: all that are not blocked."_s),
        key(u"remoteCode.blockedHosts"_s, PatternList, ISOL8_AT(remoteCode.blockedHosts),
            u"Host name patterns that code may not come from."_s),
        size(u"remoteCode.maxCodeSize"_s, 1, maxCodeBytes, ISOL8_AT(remoteCode.maxCodeBytes),
            u"Most bytes of fetched code."_s),
        duration(u"remoteCode.fetchTimeoutMs"_s, ISOL8_AT(remoteCode.fetchTimeout),
            u"Time limit of a fetch, in milliseconds."_s),
        flag(u"remoteCode.requireHash"_s, ISOL8_AT(remoteCode.requireHash),
            u"Refuse code from a URL without its SHA-256."_s),
        flag(
            u"remoteCode.enableCache"_s, ISOL8_AT(remoteCode.enableCache), u"Keep fetched code."_s),
        count(u"remoteCode.cacheTtl"_s, 1, 31'622'400, ISOL8_AT(remoteCode.cacheLifetime),
            u"How long fetched code is kept, in seconds."_s),
    };
}

QList<SettingKey> operatorKeys()
{
    using enum SettingType;
    const auto destinationName
        = [](bool toStdout) { return toStdout ? u"stdout"_s : u"filesystem"_s; };
    const auto destinationFromName
        = [](const QString& name) { return std::optional(name == "stdout"_L1); };
    const auto failureName = [](AuditFailure failure) {
        return failure == AuditFailure::Warn ? u"warn"_s : u"refuse"_s;
    };
    const auto failureFromName = [](const QString& name) {
        return std::optional(name == "warn"_L1 ? AuditFailure::Warn : AuditFailure::Refuse);
    };
    return {
        flag(u"audit.enabled"_s, ISOL8_AT(audit.enabled), u"Write the audit log."_s),
        choice(u"audit.destination"_s, { u"filesystem"_s, u"stdout"_s }, ISOL8_AT(audit.toStdout),
            destinationName, destinationFromName, u"Where the audit log goes."_s),
        trusted(key(u"audit.logDir"_s, Text, ISOL8_AT(audit.logDirectory),
            u"Directory of the audit log; empty: $ISOL8_AUDIT_DIR, else ./.isol8_audit."_s)),
        trusted(key(u"audit.postLogScript"_s, Text, ISOL8_AT(audit.postLogScript),
            u"Program of this machine that is started with the log's path."_s)),
        duration(u"audit.scriptTimeoutMs"_s, ISOL8_AT(audit.scriptTimeout),
            u"Time limit of audit.postLogScript, in milliseconds."_s),
        flag(u"audit.trackResources"_s, ISOL8_AT(audit.trackResources),
            u"Note the use of processor, memory and network."_s),
        count(u"audit.retentionDays"_s, 1, 36'500, ISOL8_AT(audit.retentionDays),
            u"Days after which audit files are removed."_s),
        size(u"audit.maxFileSize"_s, 1 << 10, 1LL << 40, ISOL8_AT(audit.maxFileBytes),
            u"Size of an audit file at which the next one is begun, as every day."_s),
        flag(u"audit.includeCode"_s, ISOL8_AT(audit.includeCode), u"Note the code."_s),
        flag(u"audit.includeOutput"_s, ISOL8_AT(audit.includeOutput), u"Note the output."_s),
        choice(u"audit.onFailure"_s, { u"warn"_s, u"refuse"_s }, ISOL8_AT(audit.onFailure),
            failureName, failureFromName,
            u"When the audit log cannot be written: say so once, or run nothing until it can."_s),
        flag(u"auth.enabled"_s, ISOL8_AT(auth.enabled), u"Keep API keys in a database."_s),
        key(u"auth.connectionString"_s, Text, ISOL8_AT(auth.connectionString),
            u"File, postgres:// or mysql:// URL; empty: ~/.isol8/auth.db."_s),
        count(u"auth.defaultTtlMs"_s, 1, longestLifetime, ISOL8_AT(auth.defaultTtl),
            u"Lifetime of a new key, in milliseconds."_s),
        duration(u"auth.cleanupIntervalMs"_s, ISOL8_AT(auth.cleanupInterval),
            u"Time between removals of expired keys, in milliseconds."_s),
        key(u"serve.accessLog"_s, Text, ISOL8_AT(serve.accessLog),
            u"File that gets a line of JSON for each request; - for standard output, empty: none."_s),
        size(u"serve.maxBodySize"_s, 1 << 10, 1LL << 30, ISOL8_AT(serve.maxBodyBytes),
            u"Largest body of a request."_s),
        size(u"serve.maxHeaderSize"_s, 1 << 10, 1 << 20, ISOL8_AT(serve.maxHeaderBytes),
            u"Largest head of a request."_s),
        count(u"serve.maxHeaderFields"_s, 1, 10'000, ISOL8_AT(serve.maxHeaderFields),
            u"Most header fields of a request."_s),
        count(u"serve.maxConnections"_s, 1, 100'000, ISOL8_AT(serve.maxConnections),
            u"Open connections."_s),
        count(u"serve.maxConnectionsPerAddress"_s, 1, 100'000,
            ISOL8_AT(serve.maxConnectionsPerAddress),
            u"Open connections of one address; behind a reverse proxy all come from the proxy's."_s),
        count(u"serve.maxQueue"_s, 0, 100'000, ISOL8_AT(serve.maxQueue),
            u"Executions that wait for a place; more are refused with 429."_s),
        count(u"serve.maxConcurrentPerTenant"_s, 0, 10'000, ISOL8_AT(serve.maxConcurrentPerTenant),
            u"Executions of one tenant at the same time; 0: maxConcurrent."_s),
        count(u"serve.maxSessions"_s, 0, 10'000, ISOL8_AT(serve.maxSessions),
            u"Sessions at the same time."_s),
        duration(u"serve.headerTimeoutMs"_s, ISOL8_AT(serve.headerTimeout),
            u"Time for the head of a request, in milliseconds."_s),
        duration(u"serve.bodyTimeoutMs"_s, ISOL8_AT(serve.bodyTimeout),
            u"Time without a byte within a body, in milliseconds."_s),
        duration(u"serve.idleTimeoutMs"_s, ISOL8_AT(serve.idleTimeout),
            u"Time a connection may wait between requests, in milliseconds."_s),
        duration(u"serve.queueTimeoutMs"_s, ISOL8_AT(serve.queueTimeout),
            u"Time an execution may wait for a place, in milliseconds."_s),
        duration(u"serve.drainMs"_s, ISOL8_AT(serve.drain),
            u"Time that running executions get when the server ends, in milliseconds."_s),
        duration(u"serve.keepResultsMs"_s, ISOL8_AT(serve.keepResults),
            u"How long results can be asked for, in milliseconds."_s),
        flag(u"serve.keepSessions"_s, ISOL8_AT(serve.keepSessions),
            u"Leave the sessions to the next server when the server ends."_s),
        duration(u"serve.sessionGraceMs"_s, ISOL8_AT(serve.sessionGrace),
            u"Time that a session waits for the next server, in milliseconds."_s),
        duration(u"serve.policy.maxTimeoutMs"_s, ISOL8_AT(serve.policy.maxTimeout),
            u"Longest time limit a client may ask for, in milliseconds."_s),
        size(u"serve.policy.maxMemory"_s, minMemoryBytes, maxSizeBytes,
            ISOL8_AT(serve.policy.maxMemoryBytes), u"Largest memory limit of a client."_s),
        within(key(u"serve.policy.maxCpu"_s, Number, ISOL8_AT(serve.policy.maxCpu),
                   u"Most cores of a client."_s),
            minCpuLimit, maxCpuLimit),
        count(u"serve.policy.maxPids"_s, minPids, maxPids, ISOL8_AT(serve.policy.maxPids),
            u"Largest process limit of a client."_s),
        size(u"serve.policy.maxSandboxSize"_s, minTmpfsBytes, maxSizeBytes,
            ISOL8_AT(serve.policy.maxSandboxBytes), u"Largest /sandbox of a client."_s),
        size(u"serve.policy.maxTmpSize"_s, minTmpfsBytes, maxSizeBytes,
            ISOL8_AT(serve.policy.maxTmpBytes), u"Largest /tmp of a client."_s),
        size(u"serve.policy.maxOutputSize"_s, 1, maxOutputLimitBytes,
            ISOL8_AT(serve.policy.maxOutputBytes), u"Largest output limit of a client."_s),
        flag(u"serve.policy.allowHostNetwork"_s, ISOL8_AT(serve.policy.allowHostNetwork),
            u"Let clients use this machine's network."_s),
        flag(u"serve.policy.allowForeignImages"_s, ISOL8_AT(serve.policy.allowForeignImages),
            u"Let clients use images that isol8 did not build."_s),
        flag(u"serve.policy.allowPersist"_s, ISOL8_AT(serve.policy.allowPersist),
            u"Let clients keep containers."_s),
        flag(u"serve.policy.allowWritableRoot"_s, ISOL8_AT(serve.policy.allowWritableRoot),
            u"Let clients write outside /sandbox and /tmp, to this machine's disk."_s),
        flag(u"serve.policy.allowCustomSeccomp"_s, ISOL8_AT(serve.policy.allowCustomSeccomp),
            u"Let clients choose another system call filter or none."_s),
        flag(u"serve.policy.allowRemoteCode"_s, ISOL8_AT(serve.policy.allowRemoteCode),
            u"Let clients loosen the settings of remoteCode."_s),
        flag(u"cli.spare"_s, ISOL8_AT(cli.spare),
            u"Leave one started, unused container behind for the next command."_s),
        duration(u"cli.spareIdleMs"_s, ISOL8_AT(cli.spareIdle),
            u"Time after which that container ends itself, in milliseconds."_s),
    };
}

#undef ISOL8_AT

/// The keys that exist once for each runtime, and the list of images.
QList<SettingKey> imageKeys()
{
    QList<SettingKey> keys;
    for (const Runtime runtime : allRuntimes()) {
        if (runtime == Runtime::Agent)
            continue;
        const QString name = runtimeName(runtime);
        SettingKey packages;
        packages.path = u"dependencies."_s + name;
        packages.type = SettingType::TextList;
        packages.description = u"Packages that setup bakes into the %1 image."_s.arg(name);
        packages.read = [runtime](const Settings& settings) {
            return toValue(settings.dependencies.value(runtime));
        };
        packages.write = [runtime](Settings& settings, const QJsonValue& value) {
            if (const QStringList texts = textsOf(value); !texts.isEmpty())
                settings.dependencies[runtime] = texts;
        };
        keys.append(packages);
        SettingKey registry;
        registry.path = u"registries."_s + name;
        registry.description
            = u"URL that packages for %1 are installed from; empty: the usual one."_s.arg(name);
        registry.read = [runtime](const Settings& settings) {
            return toValue(settings.registries.value(runtime));
        };
        registry.write = [runtime](Settings& settings, const QJsonValue& value) {
            if (const QString url = value.toString(); !url.isEmpty())
                settings.registries[runtime] = url;
        };
        keys.append(registry);
    }
    SettingKey images;
    images.path = u"prebuiltImages"_s;
    images.type = SettingType::ImageList;
    images.description = u"Custom images that setup builds."_s;
    images.read = [](const Settings& settings) { return imagesValue(settings.prebuiltImages); };
    images.write = [](Settings& settings, const QJsonValue& value) {
        settings.prebuiltImages = imagesFrom(value);
    };
    keys.append(images);
    return keys;
}

} // namespace

const QList<SettingKey>& settingKeys()
{
    static const QList<SettingKey> keys = generalKeys() + operatorKeys() + imageKeys();
    return keys;
}

} // namespace isol8
