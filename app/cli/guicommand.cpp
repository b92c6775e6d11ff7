// SPDX-License-Identifier: MIT
#include "app/cli/guicommand.h"

#include <QFileInfo>
#include <QLibrary>

namespace isol8::cli {

using namespace Qt::StringLiterals;

namespace {

using GuiMain = int (*)(int argumentCount, char** arguments);

QString programDirectory()
{
    return QFileInfo(QFileInfo(u"/proc/self/exe"_s).canonicalFilePath()).path();
}

bool hasDisplay()
{
    for (const char* variable : { "DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM" }) {
        if (!qEnvironmentVariableIsEmpty(variable))
            return true;
    }
    return false;
}

} // namespace

QStringList guiModulePaths(const QString& programDirectory)
{
    const auto name = u"libisol8-gui.so"_s;
    return { programDirectory + u'/' + name,
        QFileInfo(programDirectory + u"/../"_s + QStringLiteral(ISOL8_LIBDIR) + u"/isol8/"_s + name)
            .absoluteFilePath(),
        QFileInfo(programDirectory + u"/../lib/isol8/"_s + name).absoluteFilePath() };
}

void GuiCommand::define(OptionSet& options)
{
    options.positionals("files", m_files, { "Files to open", "FILE" });
}

int GuiCommand::run(Console& console)
{
    const auto paths = guiModulePaths(programDirectory());
    const auto found
        = std::ranges::find_if(paths, [](const auto& path) { return QFile::exists(path); });
    if (found == paths.cend()) {
        console.error(
            u"The desktop application is not installed: there is no "_s + paths.join(u", "_s));
        return 1;
    }
    if (!hasDisplay()) {
        console.error(
            u"There is no display: neither DISPLAY nor WAYLAND_DISPLAY is set. Start `isol8 gui` in a desktop session, or with `ssh -X`."_s);
        return 1;
    }
    QLibrary module(*found);
    const auto start = reinterpret_cast<GuiMain>(module.resolve("isol8_gui_main"));
    if (!start) {
        console.error(u"The desktop application cannot be loaded: "_s + module.errorString());
        return 1;
    }
    QByteArrayList texts { "isol8" };
    for (const auto& file : m_files)
        texts << QFile::encodeName(file);
    std::vector<char*> arguments;
    for (auto& text : texts)
        arguments.push_back(text.data());
    arguments.push_back(nullptr);
    return start(int(texts.size()), arguments.data());
}

} // namespace isol8::cli
