// SPDX-License-Identifier: MIT
#include "engine/core/validation.h"

#include "engine/core/escape.h"
#include "engine/core/hostname.h"
#include "engine/core/hostpattern.h"
#include "engine/core/names.h"
#include "engine/core/units.h"
#include "engine/core/words.h"

#include <QRegularExpression>
#include <QSet>
#include <QUrl>

#include <array>

using namespace Qt::StringLiterals;

namespace isol8 {

namespace {

constexpr auto sandboxRoot = "/sandbox"_L1;
constexpr qsizetype maxPathBytes = 4095; // PATH_MAX less its NUL.
constexpr qsizetype maxNameBytes = 255; // NAME_MAX.
constexpr int maxOutputPaths = 1000;
constexpr int maxPackages = 500;
constexpr qsizetype maxPackageLength = 1000;
constexpr int maxPatterns = 10'000;
constexpr qsizetype maxUrlLength = 8192;
constexpr int maxTerminalSize = 10'000;
constexpr qsizetype shownCharacters = 100;

QString shown(const QString& text)
{
    const QString safe = printable(text.left(shownCharacters));
    return text.size() > shownCharacters ? safe + u'…' : safe;
}

std::unexpected<Error> invalid(const QString& option, const QString& value, const QString& allowed)
{
    return failure(Kind::Invalid,
        u"%1: invalid value \"%2\": allowed are %3"_s.arg(option, shown(value), allowed));
}

bool hasNul(const QString& text)
{
    return text.contains(QChar(u'\0'));
}

bool hasControl(const QString& text)
{
    return std::ranges::any_of(
        text, [](QChar character) { return character.unicode() < 0x20 || character == u'\x7f'; });
}

Result<> checkSize(const QString& option, qint64 bytes, qint64 min, qint64 max)
{
    if (bytes < min || bytes > max)
        return invalid(
            option, sizeText(bytes), u"sizes from %1 to %2"_s.arg(sizeText(min), sizeText(max)));
    return {};
}

Result<> checkLength(const QString& what, qint64 bytes, qint64 max)
{
    if (bytes > max)
        return failure(Kind::Invalid,
            u"%1: %2 are too much: at most %3 are allowed"_s.arg(
                what, formatSize(bytes), formatSize(max)));
    return {};
}

Result<> checkTimeout(std::chrono::milliseconds timeout)
{
    if (timeout < std::chrono::milliseconds(1) || timeout > maxTimeout)
        return invalid(u"timeoutMs"_s, QString::number(timeout.count()),
            u"1 to %1 milliseconds"_s.arg(maxTimeout.count()));
    return {};
}

Result<QString> normalised(const QString& path)
{
    static constexpr std::array forbidden { u'\0', u'\n', u'\r' };
    const bool hasForbidden
        = std::ranges::any_of(forbidden, [&](char16_t code) { return path.contains(QChar(code)); });
    if (path.isEmpty() || hasForbidden || !path.isValidUtf16())
        return invalid(u"path"_s, path, u"paths below /sandbox without NUL and line breaks"_s);
    const QString absolute = path.startsWith(u'/') ? path : sandboxRoot + u'/' + path;
    QStringList names;
    for (const QString& name : absolute.split(u'/', Qt::SkipEmptyParts)) {
        if (name == "."_L1)
            continue;
        if (name == ".."_L1) {
            if (names.isEmpty())
                return invalid(u"path"_s, path, u"paths below /sandbox"_s);
            names.removeLast();
            continue;
        }
        if (name.toUtf8().size() > maxNameBytes)
            return invalid(u"path"_s, path, u"names of at most %1 bytes"_s.arg(maxNameBytes));
        names.append(name);
    }
    const QString clean = u'/' + names.join(u'/');
    if (clean.toUtf8().size() > maxPathBytes)
        return invalid(u"path"_s, path, u"paths of at most %1 bytes"_s.arg(maxPathBytes));
    return clean;
}

Result<> checkSource(const ExecutionRequest& request)
{
    const int sources = int(!request.code.isNull()) + int(!request.command.isEmpty())
        + int(!request.codeUrl.isEmpty());
    if (sources == 0)
        return failure(Kind::Invalid, u"nothing to run: one of code, cmd and codeUrl is needed"_s);
    if (sources > 1)
        return failure(Kind::Invalid, u"only one of code, cmd and codeUrl can be run at a time"_s);
    if (const auto ok = checkLength(u"code"_s, request.code.size(), maxCodeBytes); !ok)
        return ok;
    if (hasNul(request.command))
        return invalid(u"cmd"_s, request.command, u"texts without NUL"_s);
    if (const auto ok
        = checkLength(u"cmd"_s, request.command.toUtf8().size(), maxVariableBytes - 1);
        !ok)
        return ok;
    if (!request.codeUrl.isEmpty()) {
        const QUrl url(request.codeUrl, QUrl::StrictMode);
        if (!url.isValid() || url.isRelative() || url.host().isEmpty()
            || request.codeUrl.size() > maxUrlLength)
            return invalid(u"codeUrl"_s, request.codeUrl, u"absolute URLs with a host"_s);
    }
    static const QRegularExpression digest(u"\\A[0-9a-fA-F]{64}\\z"_s);
    if (!request.codeHash.isEmpty() && !digest.match(request.codeHash).hasMatch())
        return invalid(u"codeHash"_s, request.codeHash, u"64 hexadecimal digits of a SHA-256"_s);
    static const QRegularExpression extension(u"\\A\\.[A-Za-z0-9]{1,16}\\z"_s);
    if (!request.fileExtension.isEmpty() && !extension.match(request.fileExtension).hasMatch())
        return invalid(
            u"fileExtension"_s, request.fileExtension, u"a dot and 1 to 16 of A-Z a-z 0-9"_s);
    return {};
}

Result<> checkVariables(
    const QMap<QString, QString>& variables, const QString& option, bool isSecret, qint64& total)
{
    for (const auto& [name, value] : variables.asKeyValueRange()) {
        if (const auto ok = checkEnvironmentName(name, option); !ok)
            return ok;
        const QString what = u"%1.%2"_s.arg(option, shown(name));
        if (hasNul(value))
            return invalid(what, isSecret ? u"***"_s : value, u"texts without NUL"_s);
        const qint64 bytes = name.toUtf8().size() + value.toUtf8().size() + 2;
        if (const auto ok = checkLength(what, bytes, maxVariableBytes); !ok)
            return ok;
        total += bytes;
    }
    return {};
}

/// Everything that execve(2) has to take: arguments, environment, secrets.
Result<> checkArguments(const ExecutionRequest& request, const ExecutionOptions& options)
{
    qint64 total = 0;
    for (const QString& argument : request.arguments) {
        if (hasNul(argument))
            return invalid(u"args"_s, argument, u"texts without NUL"_s);
        const qint64 bytes = argument.toUtf8().size() + 1;
        if (const auto ok = checkLength(u"args"_s, bytes, maxVariableBytes); !ok)
            return ok;
        total += bytes;
    }
    if (const auto ok = checkVariables(request.environment, u"env"_s, /*isSecret=*/false, total);
        !ok)
        return ok;
    if (const auto ok = checkVariables(options.secrets, u"secrets"_s, /*isSecret=*/true, total);
        !ok)
        return ok;
    return checkLength(u"args, env and secrets together"_s, total, maxEnvironmentBytes);
}

Result<> checkFiles(const ExecutionRequest& request)
{
    if (request.files.size() > maxFileCount)
        return invalid(u"files"_s, QString::number(request.files.size()),
            u"at most %1 files"_s.arg(maxFileCount));
    qint64 total = 0;
    QSet<QString> paths;
    for (const auto& [path, content] : request.files.asKeyValueRange()) {
        const auto clean = sandboxPath(path);
        if (!clean)
            return std::unexpected(clean.error().within(u"files"_s));
        if (paths.contains(*clean))
            return failure(Kind::Invalid, u"files: %1 is there twice"_s.arg(shown(*clean)));
        paths.insert(*clean);
        total += content.size();
    }
    if (const auto ok = checkLength(u"files"_s, total, maxFilesBytes); !ok)
        return ok;
    if (request.outputPaths.size() > maxOutputPaths)
        return invalid(u"outputPaths"_s, QString::number(request.outputPaths.size()),
            u"at most %1 paths"_s.arg(maxOutputPaths));
    for (const QString& path : request.outputPaths) {
        if (const auto clean = sandboxPath(path); !clean)
            return std::unexpected(clean.error().within(u"outputPaths"_s));
    }
    if (const auto clean = sandboxDirectory(request.workingDirectory); !clean)
        return std::unexpected(clean.error().within(u"workdir"_s));
    return checkLength(u"stdin"_s, request.stdinData.value_or(QByteArray()).size(), maxStdinBytes);
}

Result<> checkSteps(const ExecutionRequest& request)
{
    if (request.installPackages.size() > maxPackages)
        return invalid(u"installPackages"_s, QString::number(request.installPackages.size()),
            u"at most %1 packages"_s.arg(maxPackages));
    for (const QString& package : request.installPackages) {
        // A leading dash would be an option of the package manager.
        if (package.trimmed().isEmpty() || package.trimmed().startsWith(u'-') || hasControl(package)
            || package.size() > maxPackageLength)
            return invalid(u"installPackages"_s, package,
                u"package names of 1 to %1 characters that do not begin with a dash"_s.arg(
                    maxPackageLength));
    }
    if (hasNul(request.setupScript))
        return invalid(u"setupScript"_s, request.setupScript, u"texts without NUL"_s);
    if (const auto words = splitWords(request.agentFlags); !words)
        return std::unexpected(words.error().within(u"agentFlags"_s));
    if (hasNul(request.agentFlags))
        return invalid(u"agentFlags"_s, request.agentFlags, u"texts without NUL"_s);
    for (const auto& [option, text] : { std::pair(u"setupScript"_s, request.setupScript),
             std::pair(u"agentFlags"_s, request.agentFlags) }) {
        if (const auto ok = checkLength(option, text.toUtf8().size(), maxVariableBytes - 1); !ok)
            return ok;
    }
    for (const int size : { request.terminalRows, request.terminalColumns }) {
        if (request.hasTerminal && (size < 1 || size > maxTerminalSize))
            return invalid(u"terminal size"_s, QString::number(size),
                u"1 to %1 rows and columns"_s.arg(maxTerminalSize));
    }
    return {};
}

Result<> checkLimits(const ExecutionOptions& options)
{
    const std::array checks {
        checkSize(u"memoryLimit"_s, options.memoryLimitBytes, minMemoryBytes, maxSizeBytes),
        checkSize(u"sandboxSize"_s, options.sandboxSizeBytes, minTmpfsBytes, maxSizeBytes),
        checkSize(u"tmpSize"_s, options.tmpSizeBytes, minTmpfsBytes, maxSizeBytes),
        checkSize(u"maxOutputSize"_s, options.maxOutputBytes, 1, maxOutputLimitBytes),
        checkTimeout(options.timeout),
    };
    for (const auto& check : checks) {
        if (!check)
            return check;
    }
    if (!(options.cpuLimit >= minCpuLimit && options.cpuLimit <= maxCpuLimit))
        return invalid(u"cpuLimit"_s, QString::number(options.cpuLimit),
            u"cores from %1 to %2"_s.arg(minCpuLimit).arg(maxCpuLimit));
    if (options.pidsLimit < minPids || options.pidsLimit > maxPids)
        return invalid(u"pidsLimit"_s, QString::number(options.pidsLimit),
            u"whole numbers from %1 to %2"_s.arg(minPids).arg(maxPids));
    return {};
}

Result<> checkFilter(const NetworkFilter& filter)
{
    const QStringList patterns = filter.allow + filter.deny + filter.operatorAllow;
    if (patterns.size() > maxPatterns)
        return invalid(u"networkFilter"_s, QString::number(patterns.size()),
            u"at most %1 patterns"_s.arg(maxPatterns));
    for (const QString& pattern : patterns) {
        if (const auto compiled = HostPattern::compile(pattern); !compiled)
            return std::unexpected(compiled.error().within(u"networkFilter"_s));
    }
    for (const QString& exception : filter.allowAddresses) {
        if (const auto host = hostAndPortFromText(exception); !host)
            return std::unexpected(host.error().within(u"network.allowAddresses"_s));
    }
    return {};
}

Result<> checkIsolation(const ExecutionRequest& request, const ExecutionOptions& options)
{
    static const QRegularExpression image(u"\\A[A-Za-z0-9][A-Za-z0-9._/:@-]{0,254}\\z"_s);
    if (!options.image.isEmpty() && !image.match(options.image).hasMatch())
        return invalid(u"image"_s, options.image, u"image names such as python:3.13-slim"_s);
    if (const auto ok = checkFilter(options.networkFilter); !ok)
        return ok;
    if (options.seccomp == SeccompMode::Custom && options.seccompProfilePath.isEmpty())
        return failure(
            Kind::Invalid, u"security.seccomp custom needs security.customProfilePath"_s);
    const bool hasNetwork = options.network == NetworkMode::Host
        || (options.network == NetworkMode::Filtered
            && !(options.networkFilter.allow + options.networkFilter.operatorAllow).isEmpty());
    if (request.runtime == Runtime::Agent && request.command.isEmpty()) {
        // The prompt is an argument.
        if (request.code.contains('\0'))
            return failure(Kind::Invalid, u"code: a prompt holds no NUL"_s);
        if (const auto ok = checkLength(
                u"code (the agent's prompt)"_s, request.code.size(), maxVariableBytes - 2);
            !ok)
            return ok;
    }
    if (request.runtime == Runtime::Agent && !hasNetwork)
        return failure(Kind::Invalid,
            u"the agent runtime needs a network: allowed are \"filtered\" with at least one allow pattern, and \"host\""_s);
    return {};
}

} // namespace

Result<> validate(const ExecutionRequest& request, const ExecutionOptions& options)
{
    if (request.timeout) {
        if (const auto ok = checkTimeout(*request.timeout); !ok)
            return ok;
    }
    if (const auto ok = checkSource(request); !ok)
        return ok;
    if (const auto ok = checkArguments(request, options); !ok)
        return ok;
    if (const auto ok = checkFiles(request); !ok)
        return ok;
    if (const auto ok = checkSteps(request); !ok)
        return ok;
    if (const auto ok = checkLimits(options); !ok)
        return ok;
    return checkIsolation(request, options);
}

Result<QString> sandboxDirectory(const QString& path)
{
    const auto clean = normalised(path);
    if (clean && *clean != sandboxRoot && !clean->startsWith(sandboxRoot + u'/'))
        return invalid(u"path"_s, path, u"paths within /sandbox"_s);
    return clean;
}

Result<QString> sandboxPath(const QString& path)
{
    const auto clean = sandboxDirectory(path);
    if (clean && *clean == sandboxRoot)
        return invalid(u"path"_s, path, u"paths below /sandbox"_s);
    return clean;
}

} // namespace isol8
