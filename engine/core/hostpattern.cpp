// SPDX-License-Identifier: MIT
#include "engine/core/hostpattern.h"

#include "engine/core/ecmascript.h"
#include "engine/core/escape.h"
#include "engine/core/hostname.h"

#include <algorithm>

namespace isol8 {

using namespace Qt::StringLiterals;

namespace {

constexpr qint64 maxAtoms = 5000;
constexpr qsizetype shownCharacters = 100;

/// Steps and KiB of one search (pcre2pattern(3), «Setting match resource limits»). The interpreter
/// counts every step, the just-in-time compiler does not.
constexpr auto limits = "(*NO_JIT)(*LIMIT_MATCH=20000)(*LIMIT_HEAP=1024)"_L1;

QString shown(const QString& text)
{
    return printable(text.size() > shownCharacters ? text.left(shownCharacters) + u'…' : text);
}

std::unexpected<Error> refusal(const QString& text, const QString& why)
{
    return failure(Kind::Invalid, u"the pattern \"%1\" cannot be used: %2"_s.arg(shown(text), why));
}

} // namespace

HostPattern::HostPattern(QString text, QRegularExpression expression)
    : m_text(std::move(text))
    , m_expression(std::move(expression))
{
}

Result<HostPattern> HostPattern::compile(const QString& text)
{
    if (text.isEmpty())
        return refusal(text, u"it is empty"_s);
    if (text.size() > maxLength)
        return refusal(text, u"it is longer than %1 characters"_s.arg(maxLength));
    const auto translated = pcreFromEcmaScript(text, maxAtoms);
    if (!translated)
        return refusal(text, translated.error().message);
    // Hosts have no case, so neither have their patterns.
    const QRegularExpression expression(
        QString(limits) + *translated, QRegularExpression::CaseInsensitiveOption);
    if (!expression.isValid())
        return refusal(text, expression.errorString());
    return HostPattern(text, expression);
}

HostPattern::Match HostPattern::search(const QString& host) const
{
    const auto match = m_expression.match(host);
    if (!match.isValid())
        return Match::Undecided;
    return match.hasMatch() ? Match::Yes : Match::No;
}

Result<QString> patternFromGlob(const QString& glob)
{
    const auto refuse = [&glob] {
        return failure(Kind::Invalid,
            u"\"%1\" is no host pattern: give a host such as example.org or *.example.org, without scheme, port and path"_s
                .arg(shown(glob)));
    };
    const bool hasWildcard = glob.contains(u'*') || glob.contains(u'?');
    if (!hasWildcard) {
        const auto host = hostNameFromText(glob);
        if (!host)
            return refuse();
        return u'^' + QString(host->text).replace(u'.', "\\."_L1) + u'$';
    }
    QString text = glob.toLower();
    if (text.endsWith(u'.'))
        text.chop(1);
    QString pattern;
    for (const QChar c : text) {
        const bool isLiteral = (c >= u'a' && c <= u'z') || (c >= u'0' && c <= u'9') || c == u'-';
        if (c == u'*')
            pattern += u".*"_s;
        else if (c == u'?')
            pattern += u"[^.]"_s;
        else if (c == u'.')
            pattern += u"\\."_s;
        else if (isLiteral)
            pattern += c;
        else
            return refuse();
    }
    if (text.contains(".."_L1) || text.startsWith(u'.'))
        return refuse();
    return u'^' + pattern + u'$';
}

} // namespace isol8
