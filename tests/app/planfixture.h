// SPDX-License-Identifier: MIT
#pragma once

#include "app/cli/runplan.h"

namespace isol8::tests {

using namespace Qt::StringLiterals;
using namespace isol8::cli;

inline Surroundings fakeSurroundings()
{
    return {
        [](const QString& path) -> Result<QByteArray> {
            if (path.contains(u"missing"_s))
                return failure(Kind::NotFound, u"gone"_s);
            if (path.contains(u"folder"_s))
                return failure(Kind::Invalid, u"it is a directory"_s);
            return "content of " + path.toUtf8();
        },
        [] { return Result<QByteArray>("typed"); },
        [](const QString& name) {
            return name == u"TOKEN"_s ? std::optional(u"from-environment"_s) : std::nullopt;
        },
        [](const QString& path) { return path == u"project"_s; },
    };
}

inline Result<RunPlan> plan(const RunOptions& options, const Settings& settings = {})
{
    return planRun(options, settings, fakeSurroundings());
}

inline QString errorOf(const RunOptions& options, const Settings& settings = {})
{
    const auto planned = plan(options, settings);
    return planned ? u"(no error)"_s : planned.error().message;
}

inline RunOptions inlineCode()
{
    RunOptions options;
    options.eval = "print(1)";
    return options;
}

} // namespace isol8::tests
