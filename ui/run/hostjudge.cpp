// SPDX-License-Identifier: MIT
#include "ui/run/hostjudge.h"

#include <QRegularExpression>

#include <algorithm>

namespace isol8::ui {

namespace {

constexpr qsizetype maxHostLength = 253;

/// The first of @p patterns that is in @p host; empty for none.
QString matching(const QStringList& patterns, const QString& host)
{
    const auto found = std::ranges::find_if(patterns, [&host](const QString& pattern) {
        return QRegularExpression(pattern, QRegularExpression::CaseInsensitiveOption)
            .match(host)
            .hasMatch();
    });
    return found == patterns.cend() ? QString() : *found;
}

} // namespace

HostVerdict judgeHost(const NetworkFilter& filter, const QString& host)
{
    using Kind = HostVerdict::Kind;
    for (const auto& pattern : filter.deny + filter.allow) {
        if (!QRegularExpression(pattern).isValid())
            return { Kind::BadPattern, pattern };
    }
    const auto name = host.trimmed().left(maxHostLength);
    if (const auto rule = matching(filter.deny, name); !rule.isEmpty())
        return { Kind::Denied, rule };
    if (filter.allow.isEmpty())
        return { Kind::Allowed, {} };
    const auto rule = matching(filter.allow, name);
    return { rule.isEmpty() ? Kind::Denied : Kind::Allowed, rule };
}

} // namespace isol8::ui
