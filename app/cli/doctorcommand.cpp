// SPDX-License-Identifier: MIT
#include "app/cli/doctorcommand.h"

#include "app/cli/context.h"
#include "app/cli/doctorchecks.h"
#include "engine/core/completion.h"
#include "engine/docker/client.h"
#include "engine/sandbox/dockerengine.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>

namespace isol8::cli {

using namespace Qt::StringLiterals;

namespace {

QString statusName(Check::Status status)
{
    switch (status) {
    case Check::Status::Good:
        return u"ok"_s;
    case Check::Status::Warning:
        return u"warning"_s;
    case Check::Status::Bad:
        return u"failed"_s;
    }
    return {};
}

QByteArray asJson(const QList<Check>& checks, bool isGood)
{
    QJsonArray array;
    for (const auto& check : checks)
        array << QJsonObject { { u"name"_s, check.name }, { u"status"_s, statusName(check.status) },
            { u"detail"_s, check.detail }, { u"fix"_s, check.fix } };
    return QJsonDocument(QJsonObject { { u"ok"_s, isGood }, { u"checks"_s, array } }).toJson();
}

void show(const Check& check, Console& console)
{
    const auto text = u"%1: %2"_s.arg(check.name, check.detail);
    if (check.status == Check::Status::Good) {
        console.ok(text);
        return;
    }
    const auto withFix = check.fix.isEmpty() ? text : text + u'\n' + check.fix;
    if (check.status == Check::Status::Warning)
        console.warn(withFix);
    else
        console.error(withFix);
}

QCoro::Task<Check> checkRun(std::shared_ptr<DockerEngine> engine, Runtime runtime)
{
    Check check { u"run"_s, Check::Status::Good, {}, {} };
    ExecutionRequest request;
    request.runtime = runtime;
    request.command = u"echo works"_s;
    const Completion<ExecutionResult> ended;
    const auto run = engine->start(std::move(request), {}, {});
    QObject::connect(
        run.get(), &Run::finished, run.get(),
        [ended](const Result<ExecutionResult>& result) { ended.deliver(result); },
        Qt::QueuedConnection);
    const auto result = co_await ended.wait();
    if (!result) {
        check.status = Check::Status::Bad;
        check.detail = result.error().message;
        check.fix = u"Run it by hand to see more: isol8 run --debug --cmd 'echo works'"_s;
    } else if (result->exitCode != 0 || result->standardOutput.trimmed() != "works") {
        check.status = Check::Status::Bad;
        check.detail = u"exit code %1, output '%2'"_s.arg(result->exitCode)
                           .arg(QString::fromUtf8(result->standardOutput.left(200)));
        check.fix = u"Rebuild the image: isol8 setup --force"_s;
    } else {
        check.detail = u"a program ran in %1 ms"_s.arg(
            std::chrono::duration_cast<std::chrono::milliseconds>(result->duration).count());
    }
    co_return check;
}

QCoro::Task<int> perform(std::shared_ptr<DockerEngine> engine,
    std::shared_ptr<docker::Client> client, bool isJson, Console* console)
{
    QList<Check> checks;
    const auto add = [&checks, isJson, console](const QList<Check>& more) {
        for (const auto& check : more) {
            checks << check;
            if (!isJson)
                show(check, *console);
        }
    };
    const auto version = co_await client->version();
    add(checkVersion(client->endpoint(), version));
    if (version) {
        const auto info = co_await client->info();
        add(checkInfo(info));
        QList<Check> images;
        const auto ready = co_await checkImages(client, &images);
        add(images);
        const auto volume = co_await checkGuestVolume(client);
        add({ volume });
        if (ready) {
            const auto run = co_await checkRun(engine, *ready);
            add({ run });
        }
    }
    add({ checkDisk() });
    (void)co_await engine->shutdown();

    const bool isGood = std::none_of(checks.cbegin(), checks.cend(),
        [](const Check& check) { return check.status == Check::Status::Bad; });
    if (isJson)
        console->printBytes(asJson(checks, isGood));
    co_return isGood ? 0 : 1;
}

} // namespace

void DoctorCommand::define(OptionSet& options)
{
    options.flag("--json", m_isJson, "Print JSON (default: off)");
}

int DoctorCommand::run(Console& console)
{
    const auto engine = dockerEngine(console);
    const auto client = engine ? dockerClient(console) : nullptr;
    return client ? runEventLoop(perform(engine, client, m_isJson, &console)) : 1;
}

} // namespace isol8::cli
