// SPDX-License-Identifier: MIT
#include "app/cli/buildcommand.h"

#include "app/cli/context.h"
#include "app/cli/imageprogress.h"
#include "app/cli/interruptible.h"
#include "app/cli/surroundings.h"
#include "engine/core/names.h"
#include "engine/docker/client.h"
#include "engine/images/imagebuilder.h"

namespace isol8::cli {

using namespace Qt::StringLiterals;

namespace {

Result<QString> setupScript(const QString& typed)
{
    if (typed.contains(u'\n'))
        return typed;
    const auto content = realSurroundings().readFile(typed);
    if (content)
        return QString::fromUtf8(*content);
    if (content.error().kind == Kind::NotFound || typed.contains(u' '))
        return typed;
    return std::unexpected(content.error().within(u"--setup"_s));
}

QCoro::Task<int> perform(std::shared_ptr<docker::Client> client, ImageSettings settings,
    CustomImageSpec spec, Console* console)
{
    const auto interruptible = std::make_unique<Interruptible>();
    const auto builder = std::make_shared<ImageBuilder>(client, std::move(settings));
    const auto tag = spec.tag;
    const auto handler = imageProgress(console);
    console->progress(tag);
    const auto built
        = co_await builder->buildCustom(std::move(spec), handler, interruptible->token());
    if (!built) {
        console->error(built.error());
        co_return interruptible->exitCode().value_or(1);
    }
    console->print(u"[DONE] Built %1"_s.arg(tag));
    console->info(u"Use it with: isol8 run --image %1 …"_s.arg(tag));
    co_return 0;
}

} // namespace

void BuildCommand::define(OptionSet& options)
{
    options.value("--base", m_base, { "Runtime to build on", "python|node|bun|deno|bash" });
    options.list("--install", m_install,
        { "Packages to bake in; repeatable or comma separated", "PACKAGES" });
    options.value("--setup", m_setup, { "Bash command or script file, run as root", "SCRIPT" });
    options.value("--tag", m_tag, { "Name of the image", "NAME[:TAG]" });
    options.flag("--force", m_isForced, "Rebuild what is up to date too (default: off)");
    options.setRequired("--base");
    options.setRequired("--tag");
}

int BuildCommand::run(Console& console)
{
    const auto fail = [&console](const Error& failure) {
        console.error(failure);
        return 1;
    };
    const auto runtime = runtimeFromName(*m_base);
    if (!runtime)
        return fail({ Kind::Invalid,
            u"--base '%1' is unknown; it is one of %2"_s.arg(
                *m_base, runtimeNames().join(u", "_s)) });
    if (auto valid = validateTag(*m_tag); !valid)
        return fail(valid.error().within(u"--tag"_s));
    auto packages = packageList(*runtime, m_install);
    if (!packages)
        return fail(packages.error().within(u"--install"_s));
    Result<QString> script;
    if (m_setup)
        script = setupScript(*m_setup);
    if (!script)
        return fail(script.error());
    if (packages->isEmpty() && script->trimmed().isEmpty())
        return fail({ Kind::Invalid, u"Nothing to bake in: give --install or --setup"_s });

    const auto loaded = settingsFor(console);
    if (!loaded)
        return 1;
    auto settings = imageSettings(loaded->settings, {});
    if (!settings)
        return fail(settings.error());
    const auto client = dockerClient(console);
    if (!client)
        return 1;
    CustomImageSpec spec { *m_tag, *runtime, *packages, *script,
        m_isForced ? Rebuild::Always : Rebuild::IfChanged };
    return runEventLoop(perform(client, std::move(*settings), std::move(spec), &console));
}

} // namespace isol8::cli
