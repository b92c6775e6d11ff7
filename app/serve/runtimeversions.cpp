// SPDX-License-Identifier: MIT
#include "app/serve/runtimeversions.h"

#include "engine/core/completion.h"

#include <QRegularExpression>

namespace isol8::serve {

using namespace Qt::StringLiterals;

namespace {

/// Prints the version and nothing else.
QByteArray question(Runtime runtime)
{
    switch (runtime) {
    case Runtime::Python:
        return "import platform\nprint(platform.python_version())";
    case Runtime::Node:
        return "console.log(process.versions.node)";
    case Runtime::Bun:
        return "console.log(Bun.version)";
    case Runtime::Deno:
        return "console.log(Deno.version.deno)";
    case Runtime::Bash:
        return "echo \"${BASH_VERSION%%(*}\"";
    case Runtime::Agent:
        break;
    }
    return {};
}

/// What a program said, which may be anything.
QString versionIn(const ExecutionResult& result)
{
    static const QRegularExpression version(uR"(\A\d[0-9A-Za-z.+~-]{0,39}\z)"_s);
    const auto said = QString::fromUtf8(result.standardOutput).trimmed();
    return result.exitCode == 0 && version.match(said).hasMatch() ? said : QString();
}

Task<ExecutionResult> ask(std::shared_ptr<Engine> engine, Runtime runtime, QString image)
{
    ExecutionRequest request;
    request.runtime = runtime;
    request.code = question(runtime);
    request.stdinData = QByteArray("");
    ExecutionOptions options;
    options.image = image;
    const auto run = engine->start(request, options, {});
    const Completion<ExecutionResult> ended;
    // Queued: the run must not be destroyed from within its own signal.
    QObject::connect(
        run.get(), &Run::finished, run.get(),
        [ended](const Result<ExecutionResult>& result) { ended.deliver(result); },
        Qt::QueuedConnection);
    co_return co_await ended.wait();
}

} // namespace

struct RuntimeVersions::State {
    using Pointer = std::shared_ptr<State>;

    std::shared_ptr<Engine> engine;
    QHash<QString, QString> known; ///< By content.
    QHash<QString, QList<Completion<QString>>> waiters; ///< Of those that are being asked.

    static QCoro::Task<QString> versionOf(
        Pointer state, Runtime runtime, QString image, QString content)
    {
        if (state->known.contains(content))
            co_return state->known.value(content);
        if (state->waiters.contains(content)) {
            const Completion<QString> told;
            state->waiters[content] << told;
            co_return (co_await told.wait()).value_or(QString());
        }
        state->waiters.insert(content, {});
        const auto result = co_await ask(state->engine, runtime, image);
        const auto version = result ? versionIn(*result) : QString();
        if (result)
            state->known.insert(content, version);
        for (const auto& waiter : state->waiters.take(content))
            waiter.deliver(version);
        co_return version;
    }
};

RuntimeVersions::RuntimeVersions(std::shared_ptr<Engine> engine)
    : m_state(std::make_shared<State>(std::move(engine)))
{
}

RuntimeVersions::~RuntimeVersions() = default;

QCoro::Task<QString> RuntimeVersions::of(Runtime runtime, QString image, QString content)
{
    return State::versionOf(m_state, runtime, std::move(image), std::move(content));
}

} // namespace isol8::serve
