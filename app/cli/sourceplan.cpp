// SPDX-License-Identifier: MIT
#include "app/cli/sourceplan.h"

#include "engine/core/names.h"
#include "engine/source/sourceurl.h"

#include <QFileInfo>
#include <QRegularExpression>
#include <QUrl>

namespace isol8::cli {

using namespace Qt::StringLiterals;

namespace {

std::unexpected<Error> invalid(const QString& message)
{
    return failure(Kind::Invalid, message);
}

/// The address that --url, --github or --gist means; empty without them.
Result<QString> sourceUrl(const RunOptions& options)
{
    static const QRegularExpression digest(u"\\A[0-9a-fA-F]{64}\\z"_s);
    if (options.hash && !digest.match(*options.hash).hasMatch())
        return invalid(
            u"--hash must be a SHA-256 in 64 hexadecimal digits, not '%1'"_s.arg(*options.hash));
    const int sources = int(options.url.has_value()) + int(options.github.has_value())
        + int(options.gist.has_value());
    if (sources > 1)
        return invalid(u"--url, --github and --gist exclude each other"_s);
    if (sources == 0 && (options.hash || options.allowInsecureCodeUrl))
        return invalid(
            u"--hash and --allow-insecure-code-url belong to --url, --github and --gist"_s);
    if (options.github) {
        const auto url = githubSourceUrl(*options.github);
        return url ? url : std::unexpected(url.error().within(u"--github"_s));
    }
    if (options.gist) {
        const auto url = gistSourceUrl(*options.gist);
        return url ? url : std::unexpected(url.error().within(u"--gist"_s));
    }
    if (options.url && options.url->isEmpty())
        return invalid(u"--url is empty"_s);
    return options.url.value_or(QString());
}

/// The extension that the program's file keeps: its own where the runtime can run such files.
QString keptExtension(const QString& extension, Runtime runtime)
{
    static const QStringList scripts { u".js"_s, u".mjs"_s, u".cjs"_s, u".jsx"_s, u".ts"_s,
        u".mts"_s, u".cts"_s, u".tsx"_s };
    const bool isScript
        = runtime == Runtime::Node || runtime == Runtime::Bun || runtime == Runtime::Deno;
    if (isScript && scripts.contains(extension))
        return extension;
    return extensionsOf(runtime).contains(extension) ? extension : QString();
}

Result<> planRuntime(
    const RunOptions& options, const QString& extension, Runtime fallback, RunPlan& plan)
{
    if (options.runtime) {
        const auto runtime = runtimeFromName(*options.runtime);
        if (!runtime)
            return invalid(u"--runtime '%1' is unknown; it is one of %2"_s.arg(
                *options.runtime, runtimeNames().join(u", "_s)));
        plan.request.runtime = *runtime;
    } else if (!extension.isNull()) {
        const auto runtime = runtimeForExtension(extension);
        if (!runtime)
            return invalid(
                u"Cannot tell the runtime of '%1' by its extension; name it with --runtime (%2)"_s
                    .arg(plan.request.codeUrl.isEmpty() ? *options.file : plan.request.codeUrl,
                        runtimeNames().join(u", "_s)));
        plan.request.runtime = *runtime;
    } else {
        plan.request.runtime = fallback;
    }
    plan.request.fileExtension = keptExtension(extension, plan.request.runtime);
    // The agent reads its standard input to the end before it begins.
    if (plan.request.runtime == Runtime::Agent)
        plan.request.isStdinLive = false;
    return {};
}

/// With its dot, in lower case; empty, not null, without one.
QString extensionOf(const QString& path)
{
    const auto suffix = QFileInfo(path).suffix().toLower();
    return suffix.isEmpty() ? u""_s : u'.' + suffix;
}

Result<> planRemoteSource(const QString& url, const RunOptions& options, RunPlan& plan)
{
    auto& request = plan.request;
    request.codeUrl = url;
    request.codeHash = options.hash.value_or(QString());
    request.allowInsecureCodeUrl = options.allowInsecureCodeUrl;
    request.isStdinLive = !options.stdinData;
    if (options.eval || options.file)
        plan.warnings << u"'%1' is ignored, since the code comes from a URL"_s.arg(
            options.eval ? u"--eval"_s : *options.file);
    return planRuntime(options, extensionOf(QUrl(url).path()), Runtime::Python, plan);
}

} // namespace

Result<> planSource(const RunOptions& options, const Surroundings& surroundings, RunPlan& plan)
{
    auto& request = plan.request;
    const auto url = sourceUrl(options);
    if (!url)
        return std::unexpected(url.error());
    if (options.command) {
        if (options.eval || options.file || !url->isEmpty())
            return invalid(
                u"--cmd excludes every other source: leave out %1"_s.arg(!url->isEmpty() ? *url
                        : options.eval ? u"--eval"_s
                                       : *options.file));
        if (options.command->isEmpty())
            return invalid(u"--cmd is empty"_s);
        request.command = *options.command;
        request.isStdinLive = !options.stdinData;
        return planRuntime(options, {}, Runtime::Bash, plan);
    }
    if (!url->isEmpty())
        return planRemoteSource(*url, options, plan);
    if (options.eval) {
        if (options.file)
            plan.warnings << u"'%1' is ignored, since --eval was given"_s.arg(*options.file);
        request.code = *options.eval;
        request.isStdinLive = !options.stdinData;
        return planRuntime(options, {}, Runtime::Python, plan);
    }
    if (options.file) {
        request.isStdinLive = !options.stdinData;
        // The runtime first: it needs no file, and a wrong name should not be read.
        const auto planned
            = planRuntime(options, extensionOf(*options.file), Runtime::Python, plan);
        auto code = surroundings.readFile(*options.file);
        if (!code && code.error().kind == Kind::NotFound)
            return failure(Kind::NotFound, u"File not found: "_s + *options.file);
        if (!code)
            return std::unexpected(code.error());
        if (!planned)
            return planned;
        request.code = *code;
        return {};
    }
    auto planned = planRuntime(options, {}, Runtime::Python, plan);
    if (!planned)
        return planned;
    auto code = surroundings.readStdin();
    if (!code)
        return std::unexpected(code.error().within(u"Reading code from standard input"_s));
    if (code->trimmed().isEmpty())
        return invalid(
            u"Nothing to run: give a file, --eval or --cmd, or code on standard input"_s);
    request.code = *code;
    if (!options.stdinData)
        request.stdinData = QByteArray();
    return {};
}

} // namespace isol8::cli
