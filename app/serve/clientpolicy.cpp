// SPDX-License-Identifier: MIT
#include "app/serve/clientpolicy.h"

#include "engine/core/jsonreader.h"
#include "engine/core/names.h"
#include "engine/core/requestjson.h"
#include "engine/core/runtimedefaults.h"
#include "engine/core/validation.h"
#include "engine/output/secretset.h"

namespace isol8::serve {

using namespace Qt::StringLiterals;

namespace {

constexpr qsizetype maxClientPatterns = 500;

std::unexpected<Error> masked(Error error, const SecretSet& secrets)
{
    error.message = secrets.masked(error.message);
    return std::unexpected(std::move(error));
}

/// The secrets of options that have not been checked yet.
SecretSet secretsOf(const QJsonObject& options)
{
    QMap<QString, QString> values;
    const QJsonObject secrets = options[u"secrets"].toObject();
    for (const QString& name : secrets.keys())
        values.insert(name, secrets[name].toString());
    return SecretSet(values);
}

std::unexpected<Error> refused(const QString& what, const QString& setting)
{
    return failure(Kind::Denied,
        u"%1 is not allowed for this key; the server's %2 would allow it"_s.arg(what, setting));
}

/// What every client, the operator included, cannot have on this server.
Result<> checkPossible(const ExecuteCall& call, const Settings& settings)
{
    if (!call.request.codeUrl.isEmpty() && !settings.remoteCode.enabled)
        return failure(
            Kind::Invalid, u"request.codeUrl: remote code is not enabled on this server"_s);
    return {};
}

Result<> checkIsolation(const ExecuteCall& call, const Settings& settings)
{
    const auto& policy = settings.serve.policy;
    const auto& options = call.options;
    if (options.network == NetworkMode::Host && settings.defaults.network != NetworkMode::Host
        && !policy.allowHostNetwork)
        return refused(u"options.network \"host\""_s, u"serve.policy.allowHostNetwork"_s);
    if (!options.image.isEmpty() && !policy.allowForeignImages
        && !isOwnImageName(options.image, settings))
        return refused(
            u"options.image \"%1\""_s.arg(options.image), u"serve.policy.allowForeignImages"_s);
    if (call.request.allowInsecureCodeUrl && !policy.allowRemoteCode
        && !settings.remoteCode.allowedSchemes.contains("http"_L1))
        return refused(u"request.allowInsecureCodeUrl"_s, u"serve.policy.allowRemoteCode"_s);
    if (options.isKept && !policy.allowPersist)
        return refused(u"options.persist"_s, u"serve.policy.allowPersist"_s);
    if (!options.isRootReadOnly && settings.defaults.isRootReadOnly && !policy.allowWritableRoot)
        return refused(u"options.readonlyRootFs false"_s, u"serve.policy.allowWritableRoot"_s);
    if (options.seccomp != SeccompMode::Strict && options.seccomp != settings.security.seccomp
        && !policy.allowCustomSeccomp)
        return refused(u"options.security.seccomp \"%1\""_s.arg(seccompName(options.seccomp)),
            u"serve.policy.allowCustomSeccomp"_s);
    return {};
}

/// The operator's lists hold for whoever asks: a client's allow list is met as well, never instead,
/// and its deny list adds to the operator's. The rest of the filter is no client's to choose.
Result<> narrowFilter(NetworkFilter& filter, const Settings::Network& network)
{
    if (filter.allow.size() + filter.deny.size() > maxClientPatterns)
        return failure(Kind::Invalid,
            u"options.networkFilter: at most %1 patterns are allowed"_s.arg(maxClientPatterns));
    filter.operatorAllow = network.whitelist;
    filter.deny.removeIf(
        [&network](const QString& pattern) { return network.blacklist.contains(pattern); });
    filter.deny = network.blacklist + filter.deny;
    filter.ports = network.ports;
    filter.isPrivateAllowed = network.allowPrivate;
    filter.allowAddresses = network.allowAddresses;
    return {};
}

void cutToLimits(ExecuteCall& call, const Settings::Serve::Policy& policy)
{
    auto& options = call.options;
    options.timeout = std::min(options.timeout, policy.maxTimeout);
    if (call.request.timeout)
        call.request.timeout = std::min(*call.request.timeout, policy.maxTimeout);
    options.memoryLimitBytes = std::min(options.memoryLimitBytes, policy.maxMemoryBytes);
    options.cpuLimit = std::min(options.cpuLimit, policy.maxCpu);
    options.pidsLimit = std::min(options.pidsLimit, policy.maxPids);
    options.sandboxSizeBytes = std::min(options.sandboxSizeBytes, policy.maxSandboxBytes);
    options.tmpSizeBytes = std::min(options.tmpSizeBytes, policy.maxTmpBytes);
    options.maxOutputBytes = std::min(options.maxOutputBytes, policy.maxOutputBytes);
}

} // namespace

bool isOwnImageName(const QString& image, const Settings& settings)
{
    return image.startsWith("isol8:"_L1)
        || std::ranges::any_of(settings.prebuiltImages,
            [&image](const PrebuiltImage& prebuilt) { return prebuilt.tag == image; });
}

Result<ExecuteCall> executeCallFromJson(const QJsonObject& object, const Settings& settings)
{
    JsonReader reader(object, {}, Kind::Invalid);
    QJsonObject requestObject;
    QJsonObject optionsObject;
    ExecuteCall call;
    reader.require(u"request"_s);
    reader.read(u"request"_s, requestObject);
    reader.read(u"options"_s, optionsObject);
    reader.read(u"sessionId"_s, call.sessionId);
    if (reader.error())
        return std::unexpected(*reader.error());
    const SecretSet secrets = secretsOf(optionsObject);
    if (reader.has(u"sessionId"_s)) {
        if (const auto valid = checkSessionId(call.sessionId); !valid)
            return masked(valid.error(), secrets);
    }
    auto request = requestFromJson(requestObject);
    if (!request)
        return masked(request.error(), secrets);
    auto defaults = defaultOptions(settings);
    applyRuntimeDefaults(defaults, request->runtime);
    defaults.networkFilter = {}; // What stands there afterwards is the client's own.
    auto options = optionsFromJson(optionsObject, std::move(defaults));
    if (!options)
        return masked(options.error(), secrets);
    call.request = std::move(*request);
    call.options = std::move(*options);
    return call;
}

Result<ExecuteCall> permitCall(ExecuteCall call, const Settings& settings, bool isMaster)
{
    const auto refusedFor
        = [&call](const Error& error) { return masked(error, SecretSet(call.options.secrets)); };
    if (const auto possible = checkPossible(call, settings); !possible)
        return refusedFor(possible.error());
    if (const auto narrowed = narrowFilter(call.options.networkFilter, settings.network); !narrowed)
        return refusedFor(narrowed.error());
    if (!isMaster) {
        if (const auto allowed = checkIsolation(call, settings); !allowed)
            return refusedFor(allowed.error());
        // The profile is a file of this machine, which is not a client's to choose.
        call.options.seccompProfilePath = settings.security.customProfilePath;
        cutToLimits(call, settings.serve.policy);
    }
    if (const auto valid = validate(call.request, call.options); !valid)
        return refusedFor(valid.error());
    return call;
}

} // namespace isol8::serve
