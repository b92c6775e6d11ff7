// SPDX-License-Identifier: MIT
#include "app/cli/setupcommand.h"

#include "app/cli/context.h"
#include "app/cli/imageprogress.h"
#include "app/cli/interruptible.h"
#include "engine/core/names.h"
#include "engine/docker/client.h"
#include "engine/images/imagebuilder.h"

namespace isol8::cli {

using namespace Qt::StringLiterals;

namespace {

/// Everything that one `setup` shall make.
struct SetupPlan {
    QList<Runtime> runtimes;
    QList<CustomImageSpec> customImages;
    ImageSettings images;
    Rebuild rebuild = Rebuild::IfChanged;
};

Result<SetupPlan> planSetup(const QStringList& runtimeNames, QMap<Runtime, QStringList> packages,
    const Settings& settings, const std::optional<QString>& source, bool isForced)
{
    SetupPlan plan;
    plan.rebuild = isForced ? Rebuild::Always : Rebuild::IfChanged;
    auto images = imageSettings(settings, source);
    if (!images)
        return std::unexpected(images.error());
    plan.images = *images;

    for (const auto& name : runtimeNames) {
        const auto runtime = runtimeFromName(name);
        if (!runtime)
            return failure(Kind::Invalid,
                u"--runtime '%1' is unknown; it is one of %2"_s.arg(
                    name, isol8::runtimeNames().join(u", "_s)));
        if (!plan.runtimes.contains(*runtime))
            plan.runtimes << *runtime;
    }
    const bool hasChoice = !plan.runtimes.isEmpty();
    if (!hasChoice)
        plan.runtimes
            = { Runtime::Python, Runtime::Node, Runtime::Bun, Runtime::Deno, Runtime::Bash };

    for (const auto runtime : plan.runtimes) {
        auto list = packageList(runtime, packages.take(runtime));
        if (!list)
            return std::unexpected(list.error());
        for (const auto& package : settings.dependencies.value(runtime)) {
            if (!list->contains(package))
                *list << package;
        }
        if (!list->isEmpty())
            plan.customImages << CustomImageSpec { customImageTag(runtime), runtime, *list, {},
                plan.rebuild };
    }
    if (!packages.isEmpty())
        return failure(Kind::Invalid,
            u"--%1 names packages, but --runtime leaves %1 out"_s.arg(
                runtimeName(packages.firstKey())));
    for (const auto& image : settings.prebuiltImages) {
        if (!hasChoice || plan.runtimes.contains(image.runtime))
            plan.customImages << CustomImageSpec { image.tag, image.runtime, image.installPackages,
                image.setupScript, plan.rebuild };
    }
    return plan;
}

Task<> buildAll(
    std::shared_ptr<ImageBuilder> builder, SetupPlan plan, CancelToken cancel, Console* console)
{
    const auto handler = imageProgress(console);
    for (const auto runtime : plan.runtimes) {
        const auto tag = baseImageTag(runtime);
        console->progress(tag);
        const auto built = co_await builder->buildBase(runtime, plan.rebuild, handler, cancel);
        if (!built)
            co_return std::unexpected(built.error().within(tag));
        console->ok(*built ? tag + u": built"_s : tag + u": Up to date"_s);
    }
    for (const auto& spec : plan.customImages) {
        console->progress(spec.tag);
        const auto built = co_await builder->buildCustom(spec, handler, cancel);
        if (!built)
            co_return std::unexpected(built.error().within(spec.tag));
        console->ok(u"%1: %2"_s.arg(spec.tag,
            spec.packages.isEmpty() ? u"ready"_s : u"ready with "_s + spec.packages.join(u", "_s)));
    }
    const auto removed = co_await builder->removeSuperseded(cancel);
    if (!removed)
        co_return std::unexpected(removed.error());
    if (*removed > 0)
        console->ok(u"Removed superseded images: %1"_s.arg(*removed));
    co_return {};
}

QCoro::Task<int> perform(std::shared_ptr<docker::Client> client, SetupPlan plan, Console* console)
{
    const auto interruptible = std::make_unique<Interruptible>();
    const bool hasDocker = co_await checkDocker(client, console);
    if (!hasDocker)
        co_return 1;
    const auto builder = std::make_shared<ImageBuilder>(client, plan.images);
    const auto built = co_await buildAll(builder, std::move(plan), interruptible->token(), console);
    if (!built) {
        console->error(built.error());
        co_return interruptible->exitCode().value_or(1);
    }
    console->print(u"[DONE] Setup complete!"_s);
    co_return 0;
}

} // namespace

void SetupCommand::define(OptionSet& options)
{
    options.flag("--force", m_isForced, "Rebuild what is up to date too (default: off)");
    for (const auto& [runtime, flag] : { std::pair { Runtime::Python, "--python" },
             std::pair { Runtime::Node, "--node" }, std::pair { Runtime::Bun, "--bun" },
             std::pair { Runtime::Deno, "--deno" }, std::pair { Runtime::Bash, "--bash" } })
        options.list(
            flag, m_packages[runtime], { "Packages to bake in, comma separated", "PACKAGES" });
    options.list("--runtime", m_runtimes,
        { "Only this runtime; repeatable", "python|node|bun|deno|bash|agent", "all but agent" });
    options.value(
        "--source", m_source, { "Where the base comes from", "auto|registry|debian", "auto" });
}

int SetupCommand::run(Console& console)
{
    const auto loaded = settingsFor(console);
    if (!loaded)
        return 1;
    m_packages.removeIf([](const auto& entry) { return entry.value().isEmpty(); });
    auto plan = planSetup(m_runtimes, m_packages, loaded->settings, m_source, m_isForced);
    if (!plan) {
        console.error(plan.error());
        return 1;
    }
    if (!loaded->isTrusted && !plan->customImages.isEmpty())
        console.warn(
            u"%1 is not trusted; packages and scripts that it lists run as root in Docker's own build containers, with the network"_s
                .arg(loaded->path));
    const auto client = dockerClient(console);
    if (!client)
        return 1;
    return runEventLoop(perform(client, std::move(*plan), &console));
}

} // namespace isol8::cli
