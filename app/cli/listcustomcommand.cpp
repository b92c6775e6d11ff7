// SPDX-License-Identifier: MIT
#include "app/cli/listcustomcommand.h"

#include "app/cli/context.h"
#include "engine/core/escape.h"
#include "engine/core/names.h"
#include "engine/core/units.h"
#include "engine/docker/client.h"
#include "engine/images/imagebuilder.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>

namespace isol8::cli {

using namespace Qt::StringLiterals;

namespace {

QByteArray asJson(const QList<CustomImage>& images)
{
    QJsonArray array;
    for (const auto& image : images) {
        array << QJsonObject { { u"tag"_s, image.tag },
            { u"runtime"_s, runtimeName(image.runtime) },
            { u"dependencies"_s, QJsonArray::fromStringList(image.packages) },
            { u"setupScript"_s,
                image.setupScript.isEmpty() ? QJsonValue() : QJsonValue(image.setupScript) },
            { u"id"_s, image.id }, { u"created"_s, image.created.toUTC().toString(Qt::ISODate) },
            { u"sizeBytes"_s, image.sizeBytes } };
    }
    return QJsonDocument(array).toJson();
}

void printImage(const CustomImage& image, Console& console)
{
    console.print(u"%1  %2  %3"_s.arg(
        printable(image.tag), runtimeName(image.runtime), formatSize(image.sizeBytes)));
    if (!image.packages.isEmpty())
        console.print(u"  packages: "_s + printable(image.packages.join(u", "_s)));
    if (image.setupScript.isEmpty())
        return;
    console.print(u"  setup script:"_s);
    for (const auto& line : image.setupScript.trimmed().split(u'\n'))
        console.print(u"    "_s + printable(line));
}

QCoro::Task<int> perform(std::shared_ptr<docker::Client> client, bool isJson, Console* console)
{
    const auto builder = std::make_shared<ImageBuilder>(client, ImageSettings {});
    const auto images = co_await builder->listCustom();
    if (!images) {
        console->error(images.error());
        co_return 1;
    }
    if (isJson) {
        console->printBytes(asJson(*images));
        co_return 0;
    }
    for (const auto& image : *images)
        printImage(image, *console);
    if (images->isEmpty())
        console->info(u"No custom images; `isol8 build` makes them"_s);
    co_return 0;
}

} // namespace

void ListCustomCommand::define(OptionSet& options)
{
    options.flag("--json", m_isJson, "Print JSON (default: off)");
}

int ListCustomCommand::run(Console& console)
{
    const auto client = dockerClient(console);
    return client ? runEventLoop(perform(client, m_isJson, &console)) : 1;
}

} // namespace isol8::cli
