// SPDX-License-Identifier: MIT
#include "app/cli/imageprogress.h"

#include "engine/core/units.h"
#include "engine/images/imagename.h"

namespace isol8::cli {

using namespace Qt::StringLiterals;

ImageEventHandler imageProgress(Console* console)
{
    const auto step = std::make_shared<QString>();
    return [console, step](const ImageEvent& event) {
        switch (event.kind) {
        case ImageEvent::Kind::Step:
            *step = event.text;
            console->progress(*step);
            break;
        case ImageEvent::Kind::Progress:
            if (event.totalBytes > 0)
                console->progress(u"%1: %2 of %3"_s.arg(*step, formatSize(event.currentBytes),
                                      formatSize(event.totalBytes)),
                    double(event.currentBytes) / double(event.totalBytes));
            else if (console->isTerminal() || console->isDebug())
                console->progress(event.text.isEmpty() ? *step : event.text);
            break;
        case ImageEvent::Kind::Info:
            console->info(event.text);
            break;
        case ImageEvent::Kind::Warning:
            console->warn(event.text);
            break;
        case ImageEvent::Kind::Ready:
            console->debug(event.text + u" is there"_s);
            break;
        }
    };
}

Result<ImageSettings> imageSettings(const Settings& settings, const std::optional<QString>& source)
{
    ImageSettings images;
    if (source == u"registry"_s)
        images.source = ImageSettings::Source::Registry;
    else if (source == u"debian"_s)
        images.source = ImageSettings::Source::Debian;
    else if (source && source != u"auto"_s)
        return failure(Kind::Invalid,
            u"--source '%1' is unknown; it is auto, registry or debian"_s.arg(*source));
    images.caBundlePath = settings.network.caBundle;
    images.registries = settings.registries;
    return images;
}

Result<QStringList> packageList(Runtime runtime, const QStringList& typed)
{
    QStringList packages;
    for (const auto& list : typed) {
        for (const auto& part : list.split(u',')) {
            const auto package = part.trimmed();
            if (package.isEmpty())
                return failure(Kind::Invalid, u"'%1' names an empty package"_s.arg(list));
            if (auto valid = validatePackageName(runtime, package); !valid)
                return std::unexpected(valid.error());
            packages << package;
        }
    }
    packages.removeDuplicates();
    return packages;
}

} // namespace isol8::cli
