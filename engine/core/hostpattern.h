// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/error.h"

#include <QRegularExpression>

namespace isol8 {

/// An ECMAScript regular expression that is searched, unanchored, in canonical host names. Whoever
/// wrote it may be hostile: its size and the steps of a search are bounded.
///
/// PCRE2 does the matching. What it reads differently from ECMAScript (without flags) is rewritten
/// (`[^]`, `\u0041`, `{,3}`, `[\w-.]`, `\v`) or, where ECMAScript has no such thing, refused
/// (`a++`, `(?>…)`, `(?i)`, `(*VERB)`, `\A`, `[[:alpha:]]` is a class and a bracket). These
/// differences remain: a backreference to a group that did not take part fails instead of matching
/// nothing, and a look-behind must have a bounded length.
class HostPattern {
public:
    enum class Match {
        No,
        Yes,
        Undecided, ///< Given up after too many steps; the caller decides for the safe side.
    };

    /// Kind::Invalid, quoting @p text, when it is no ECMAScript pattern or expands to too much.
    [[nodiscard]] static Result<HostPattern> compile(const QString& text);

    [[nodiscard]] Match search(const QString& host) const;
    [[nodiscard]] const QString& text() const { return m_text; }

    static constexpr qsizetype maxLength = 1000;

private:
    HostPattern(QString text, QRegularExpression expression);

    QString m_text;
    QRegularExpression m_expression;
};

/// The pattern that matches exactly what @p glob does: a host, or one with `*` (any number of any
/// characters, dots too) and `?` (one character, no dot). `*.example.org` means every name below
/// example.org, not itself. Kind::Invalid for what can match no host.
[[nodiscard]] Result<QString> patternFromGlob(const QString& glob);

} // namespace isol8
