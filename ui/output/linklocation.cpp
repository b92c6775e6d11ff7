// SPDX-License-Identifier: MIT
#include "ui/output/linklocation.h"

#include <QRegularExpression>

namespace isol8::ui {

using namespace Qt::StringLiterals;

namespace {

constexpr qsizetype maxExamined = 1000;

std::optional<LinkLocation> match(const QRegularExpression& expression, const QString& text)
{
    const auto found = expression.match(text);
    if (!found.hasMatch())
        return std::nullopt;
    LinkLocation link;
    link.begin = found.capturedStart(u"link"_s);
    link.length = found.capturedLength(u"link"_s);
    link.path = found.captured(u"path"_s);
    link.line = found.captured(u"line"_s).toInt();
    link.column = found.captured(u"column"_s).toInt();
    return link.line > 0 ? std::optional(link) : std::nullopt;
}

} // namespace

std::optional<LinkLocation> findLink(const QString& text)
{
    // `File "/sandbox/main.py", line 3, in f`
    static const QRegularExpression python(
        uR"re((?<link>File "(?<path>[^"\n]{1,255})", line (?<line>\d{1,7})))re"_s);
    // `at f (file:///sandbox/main.mjs:3:9)`, `/sandbox/main.js:3`
    static const QRegularExpression script(
        uR"re((?<link>(?:file://)?(?<path>/(?:sandbox|tmp)/[^\s:()"']{1,255}):(?<line>\d{1,7})(?::(?<column>\d{1,7}))?))re"_s);
    // `/sandbox/main.sh: line 3: nope: command not found`
    static const QRegularExpression bash(
        uR"re((?<link>(?<path>[^\s:"']{1,255}): line (?<line>\d{1,7})):)re"_s);
    const auto examined = text.left(maxExamined);
    for (const auto* expression : { &python, &script, &bash }) {
        if (auto link = match(*expression, examined))
            return link;
    }
    return std::nullopt;
}

} // namespace isol8::ui
