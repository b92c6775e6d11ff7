// SPDX-License-Identifier: MIT
#include "engine/sandbox/installstep.h"

#include "engine/core/names.h"
#include "engine/images/imagebuilder.h"
#include "engine/images/imagename.h"
#include "engine/images/installfailure.h"
#include "engine/sandbox/installrecipe.h"
#include "engine/sandbox/program.h"
#include "engine/sandbox/runprogram.h"
#include "engine/sandbox/runresult.h"

#include <QElapsedTimer>

namespace isol8 {

namespace {

using namespace Qt::StringLiterals;
using Context = std::shared_ptr<RunContext>;

constexpr qsizetype maxAnswerBytes = 256 << 10;

QString imageName(const Context& context)
{
    return context->options.image.isEmpty() ? baseImageTag(context->request.runtime)
                                            : context->options.image;
}

void tell(const Context& context, const QString& line)
{
    context->installOutput.add(Channel::Stderr, line.toUtf8() + '\n', Phase::Install);
}

GuestRunSpec shellSpec(
    const QByteArray& script, const QStringList& arguments, const QByteArrayList& environment)
{
    GuestRunSpec spec;
    spec.arguments = { "/bin/sh", "-c", script, "isol8-install" };
    for (const auto& argument : arguments)
        spec.arguments << argument.toUtf8();
    spec.environment = environment;
    spec.workingDirectory = "/";
    return spec;
}

/// Where the package manager in the image gets packages; asked once for each image. Empty: it gave
/// no answer.
Task<QStringList> indexUrls(Context context, AcquiredSandbox acquired)
{
    const auto runtime = context->request.runtime;
    const auto registry = context->options.registries.value(runtime);
    if (!registry.isEmpty())
        co_return QStringList { registry };
    auto& known = context->engine->indexUrls;
    const auto key = acquired.imageId + u' ' + runtimeName(runtime);
    if (const auto found = known.constFind(key); found != known.constEnd())
        co_return *found;

    const auto answer = std::make_shared<QByteArray>();
    const auto listen = [answer](Channel channel, const QByteArray& bytes) {
        if (channel == Channel::Stdout && answer->size() < maxAnswerBytes)
            *answer += bytes;
    };
    const auto spec = shellSpec(installrecipe::question(runtime), {},
        installrecipe::questionEnvironment(acquired.imageEnvironment));
    const auto report
        = co_await runProgram(context, acquired.sandbox, spec, { Phase::Install, listen });
    if (!report)
        co_return std::unexpected(report.error());
    if (report->outcome != guest::Outcome::Exited || report->value != 0)
        co_return QStringList {};
    const auto urls = installrecipe::indexUrlsIn(runtime, *answer);
    if (!acquired.imageId.isEmpty())
        known.insert(key, urls);
    co_return urls;
}

/// With filtered networking: a network that reaches just the hosts that packages come from.
Task<bool> openInstallNetwork(Context context, AcquiredSandbox acquired)
{
    if (context->options.network != NetworkMode::Filtered)
        co_return true;
    const auto urls = co_await indexUrls(context, acquired);
    if (!urls)
        co_return std::unexpected(urls.error());
    if (urls->isEmpty())
        co_return false;
    const auto hosts = installrecipe::hostsOf(*urls);
    auto network
        = context->makeNetwork(installrecipe::filterFor(context->options.networkFilter, hosts));
    if (!network)
        co_return std::unexpected(network.error());
    context->installNetwork = std::move(*network);
    tell(context,
        u"Installing %1 with %2 from %3"_s.arg(context->request.installPackages.join(u", "_s),
            installrecipe::managerName(context->request.runtime), hosts.join(u", "_s)));
    co_return true;
}

GuestRunSpec installSpec(const Context& context, const AcquiredSandbox& acquired)
{
    const auto& request = context->request;
    auto own = installrecipe::environment(request.runtime,
        context->options.registries.value(request.runtime), acquired.imageEnvironment);
    for (const auto& given : { request.environment, context->options.secrets }) {
        for (const auto& name : given.keys())
            own.remove(name); // The user's own setting of the package manager.
    }
    return shellSpec(installrecipe::script(request.runtime), context->request.installPackages,
        withVariables(environmentOf(request, context->options, acquired.imageEnvironment), own));
}

/// What went wrong as a sentence; empty: the package manager's own words have to do.
QString reasonOf(const Context& context)
{
    if (context->installNetwork && !context->installNetwork->violations().isEmpty()) {
        const auto violation = context->installNetwork->violations().constFirst();
        return violation.allowWith.isEmpty()
            ? violation.detail
            : u"%1 (%2 would change that)"_s.arg(violation.detail, violation.allowWith);
    }
    const auto reason = explainInstall(
        QString::fromUtf8(context->installOutput.kept(Channel::Stderr)), context->request.runtime);
    if (!reason)
        return {};
    if (reason->kind == Kind::Limit)
        return u"the sandbox has no space left; --sandbox-size sets its size"_s;
    return reason->message;
}

void applyFailure(const Context& context, const QString& reason)
{
    auto& result = context->result;
    if (result.ending.reason == EndReason::Exited)
        result.ending.reason = EndReason::InstallFailed;
    if (!reason.isEmpty())
        tell(context, u"isol8: cannot install: "_s + reason);
}

} // namespace

Task<> prepareInstall(Context context)
{
    const auto& request = context->request;
    if (request.installPackages.isEmpty())
        co_return {};
    for (const auto& name : request.installPackages) {
        if (const auto valid = validatePackageName(request.runtime, name); !valid)
            co_return std::unexpected(valid.error().within(u"installPackages"_s));
    }
    // The image of a session is as it is.
    if (context->options.image.isEmpty() && context->sessionId.isEmpty()) {
        ImageBuilder images(context->engine->client, {});
        const auto custom = co_await images.listCustom(context->steps);
        if (!custom)
            co_return std::unexpected(custom.error());
        const auto image
            = installrecipe::imageWith(request.installPackages, request.runtime, *custom);
        if (!image.isEmpty()) {
            context->options.image = image;
            context->request.installPackages.clear();
            co_return {};
        }
    }
    if (context->options.network == NetworkMode::None)
        co_return failure(Kind::Invalid,
            u"installing packages needs a network and this run has none: use filtered networking (--net filtered), which opens the package index only, or an image that has them (isol8 build)"_s);
    co_return {};
}

Task<bool> installPackages(Context context, AcquiredSandbox acquired)
{
    if (context->request.installPackages.isEmpty())
        co_return true;
    QElapsedTimer timer;
    timer.start();
    const auto isOpen = co_await openInstallNetwork(context, acquired);
    if (!isOpen)
        co_return std::unexpected(isOpen.error());

    Result<guest::RunReport> report
        = guest::RunReport { .outcome = guest::Outcome::Exited, .value = 127 };
    if (*isOpen) {
        const auto listen = [context](Channel, const QByteArray& bytes) {
            context->installOutput.add(Channel::Stderr, bytes, Phase::Install);
        };
        report = co_await runProgram(context, acquired.sandbox, installSpec(context, acquired),
            { Phase::Install, listen, context->installNetwork.get() });
    }
    context->result.phases.install
        = std::chrono::duration_cast<std::chrono::microseconds>(timer.durationElapsed());
    if (!report)
        co_return std::unexpected(report.error());
    if (report->outcome == guest::Outcome::NotStarted)
        co_return std::unexpected(notStarted(*report, "/bin/sh", context->options.image));
    applyReport(context->result, *report, context->options);
    const bool isDone = report->outcome == guest::Outcome::Exited && report->value == 0;
    if (!isDone)
        applyFailure(context,
            *isOpen ? reasonOf(context)
                    : u"the image %1 has no %2 that works"_s.arg(imageName(context),
                          installrecipe::managerName(context->request.runtime)));
    context->installOutput.finish();
    co_return isDone;
}

} // namespace isol8
