// SPDX-License-Identifier: MIT
#include "app/cli/comingcommands.h"

namespace isol8::cli {

using namespace Qt::StringLiterals;

namespace {

int notYet(Console& console, const char* command)
{
    console.error(u"`isol8 %1` is not part of this build yet"_s.arg(QLatin1StringView(command)));
    return 1;
}

} // namespace

void GuiCommand::define(OptionSet& options)
{
    options.positionals("files", m_files, { "Files to open", "FILE" });
}

int GuiCommand::run(Console& console)
{
    return notYet(console, name());
}

} // namespace isol8::cli
