// SPDX-License-Identifier: MIT
#include "engine/core/ecmascript.h"

#include <QList>

#include <algorithm>
#include <array>
#include <optional>

namespace isol8 {

using namespace Qt::StringLiterals;

namespace {

bool isDigit(QChar c)
{
    return c >= u'0' && c <= u'9';
}

bool isLetter(QChar c)
{
    return (c >= u'a' && c <= u'z') || (c >= u'A' && c <= u'Z');
}

bool isHexDigit(QChar c)
{
    return isDigit(c) || (c >= u'a' && c <= u'f') || (c >= u'A' && c <= u'F');
}

/// Goes over a pattern once, by the grammar of ECMA-262, annex B.1.2, and writes it for PCRE2.
class Translator {
public:
    Translator(QStringView pattern, qint64 maxAtoms)
        : m_pattern(pattern)
        , m_maxAtoms(maxAtoms)
    {
    }

    Result<QString> translate()
    {
        while (!isAtEnd() && m_problem.isEmpty())
            translateTerm();
        if (m_problem.isEmpty() && m_atoms > m_maxAtoms)
            m_problem = tooLarge();
        if (!m_problem.isEmpty())
            return failure(Kind::Invalid, m_problem);
        return m_written;
    }

private:
    enum class Last { Nothing, Repeatable, Assertion };
    struct Group {
        qint64 atomsBefore;
        Last whatItIs;
    };
    struct Escape {
        QString written;
        bool isClass = false; ///< `\d` and its like, which begin and end no range.
    };

    [[nodiscard]] bool isAtEnd() const { return m_at >= m_pattern.size(); }
    [[nodiscard]] QChar peek(qsizetype ahead = 0) const
    {
        return m_at + ahead < m_pattern.size() ? m_pattern[m_at + ahead] : QChar();
    }
    [[nodiscard]] bool continuesWith(QLatin1StringView text) const
    {
        return m_pattern.sliced(m_at).startsWith(text);
    }
    [[nodiscard]] static QString tooLarge() { return u"its repetitions make it too large"_s; }
    void refuse(const QString& problem) { m_problem = m_problem.isEmpty() ? problem : m_problem; }

    void addAtom(const QString& written, qint64 atoms = 1)
    {
        m_written += written;
        m_atoms += atoms;
        m_lastAtoms = atoms;
        m_last = Last::Repeatable;
    }
    void addAssertion(const QString& written)
    {
        m_written += written;
        m_last = Last::Assertion;
    }

    void translateTerm();
    void translateEscape();
    void translateClass();
    void openGroup();
    void closeGroup();
    bool translateQuantifier();
    std::optional<qint64> takeBraces();
    QString takeHexadecimal(qsizetype digits);
    Escape takeEscape();
    Escape takeClassAtom();

    QStringView m_pattern;
    qint64 m_maxAtoms;
    qsizetype m_at = 0;
    QString m_written;
    QString m_problem;
    QList<Group> m_groups;
    Last m_last = Last::Nothing;
    qint64 m_lastAtoms = 0;
    qint64 m_atoms = 0; ///< Of the group that is open.
};

void Translator::translateTerm()
{
    if (translateQuantifier())
        return;
    const QChar c = peek();
    if (c == u'\\')
        return translateEscape();
    if (c == u'[')
        return translateClass();
    if (c == u'(')
        return openGroup();
    if (c == u')')
        return closeGroup();
    ++m_at;
    if (c == u'|') {
        m_written += c;
        m_last = Last::Nothing;
    } else if (c == u'^') {
        addAssertion(c);
    } else if (c == u'$') {
        addAssertion(u"\\z"_s); // PCRE2's own `$` also matches before a line break at the end.
    } else if (c == u'{' || c == u'}' || c == u']') {
        addAtom(u'\\' + QString(c)); // Literal here; PCRE2 reads `{,3}` as a quantifier.
    } else {
        addAtom(c);
    }
}

/// A quantifier at the current place, if there is one.
bool Translator::translateQuantifier()
{
    const auto begin = m_at;
    qint64 factor = 1;
    if (peek() == u'*' || peek() == u'+' || peek() == u'?') {
        ++m_at;
    } else if (peek() == u'{') {
        const auto count = takeBraces();
        if (!count)
            return false;
        factor = *count;
    } else {
        return false;
    }
    if (m_last != Last::Repeatable)
        refuse(u"nothing to repeat before %1"_s.arg(m_pattern.sliced(begin, m_at - begin)));
    if (peek() == u'?')
        ++m_at;
    m_written += m_pattern.sliced(begin, m_at - begin);
    m_last = Last::Nothing;
    m_atoms += m_lastAtoms * std::max<qint64>(factor - 1, 0);
    if (m_atoms > m_maxAtoms)
        refuse(tooLarge());
    return true;
}

/// Takes `{n}`, `{n,}` or `{n,m}`; the larger number.
std::optional<qint64> Translator::takeBraces()
{
    const auto end = m_pattern.indexOf(u'}', m_at);
    if (end < 0)
        return std::nullopt;
    const auto numbers = m_pattern.sliced(m_at + 1, end - m_at - 1).split(u',');
    const auto isNumber = [](QStringView text) {
        return !text.isEmpty() && text.size() < 10 && std::ranges::all_of(text, isDigit);
    };
    if (numbers.size() > 2 || !isNumber(numbers.first())
        || (numbers.size() == 2 && !numbers.last().isEmpty() && !isNumber(numbers.last())))
        return std::nullopt;
    m_at = end + 1;
    return std::max(numbers.first().toLongLong(), numbers.last().toLongLong());
}

void Translator::openGroup()
{
    static constexpr std::array openings { "(?:"_L1, "(?="_L1, "(?!"_L1, "(?<="_L1, "(?<!"_L1 };
    const auto opening
        = std::ranges::find_if(openings, [this](auto text) { return continuesWith(text); });
    Group group { m_atoms, Last::Repeatable };
    if (opening != openings.end()) {
        m_written += *opening;
        m_at += opening->size();
        if (opening->startsWith("(?<"_L1))
            group.whatItIs = Last::Assertion;
    } else if (continuesWith("(?<"_L1)) {
        const auto end = m_pattern.indexOf(u'>', m_at);
        const auto name = m_pattern.sliced(m_at + 3, std::max<qsizetype>(end - m_at - 3, 0));
        const auto isNameCharacter = [](QChar c) { return isLetter(c) || isDigit(c) || c == u'_'; };
        if (name.isEmpty() || !std::ranges::all_of(name, isNameCharacter))
            return refuse(u"a group's name is letters, digits and _ between < and >"_s);
        m_written += m_pattern.sliced(m_at, end - m_at + 1);
        m_at = end + 1;
    } else if (continuesWith("(?"_L1)) {
        return refuse(u"ECMAScript has no %1"_s.arg(m_pattern.sliced(m_at).left(3)));
    } else {
        m_written += u'(';
        ++m_at;
    }
    m_groups.append(group);
    m_atoms = 0;
    m_last = Last::Nothing;
}

void Translator::closeGroup()
{
    ++m_at;
    m_written += u')';
    if (m_groups.isEmpty())
        return refuse(u"unmatched )"_s);
    const Group group = m_groups.takeLast();
    m_lastAtoms = m_atoms + 1;
    m_atoms = group.atomsBefore + m_lastAtoms;
    m_last = group.whatItIs;
}

void Translator::translateEscape()
{
    const QChar c = peek(1);
    if (c == u'b' || c == u'B') {
        m_at += 2;
        return addAssertion(u'\\' + QString(c));
    }
    if (c >= u'1' && c <= u'9') {
        ++m_at;
        const auto begin = m_at;
        while (isDigit(peek()))
            ++m_at;
        return addAtom(u"\\g{%1}"_s.arg(m_pattern.sliced(begin, m_at - begin)));
    }
    if (c == u'k') {
        const auto end = m_pattern.indexOf(u'>', m_at);
        if (peek(2) != u'<' || end < 0)
            return refuse(u"\\k needs a name between < and >"_s);
        addAtom(m_pattern.sliced(m_at, end - m_at + 1).toString());
        m_at = end + 1;
        return;
    }
    addAtom(takeEscape().written);
}

QString Translator::takeHexadecimal(qsizetype digits)
{
    const auto text = m_pattern.sliced(m_at).left(digits);
    m_at += text.size();
    if (text.size() < digits || !std::ranges::all_of(text, isHexDigit))
        refuse(u"%1 hexadecimal digits are missing"_s.arg(digits));
    return u"\\x{%1}"_s.arg(text);
}

/// An escape that means the same within a class and outside.
Translator::Escape Translator::takeEscape()
{
    ++m_at;
    const QChar c = peek();
    if (isAtEnd())
        refuse(u"it ends in \\"_s);
    ++m_at;
    const QString same = u'\\' + QString(c);
    if ("dDwWsS"_L1.contains(c))
        return { same, true };
    if (c == u'f' || c == u'n' || c == u'r' || c == u't')
        return { same };
    if (c == u'v')
        return { u"\\x0b"_s };
    if (c == u'0' && !isDigit(peek()))
        return { u"\\x00"_s };
    if (c == u'x')
        return { takeHexadecimal(2) };
    if (c == u'u')
        return { takeHexadecimal(4) };
    if (c == u'c' && isLetter(peek()))
        return { same + m_pattern[m_at++] };
    if (isLetter(c) || isDigit(c))
        refuse(u"ECMAScript has no %1"_s.arg(same));
    return { c.unicode() < 0x80 ? same : QString(c) };
}

void Translator::translateClass()
{
    ++m_at;
    const bool isNegated = peek() == u'^';
    m_at += isNegated ? 1 : 0;
    QString written = isNegated ? u"[^"_s : u"["_s;
    if (peek() == u']') { // PCRE2 would take the bracket for a member.
        ++m_at;
        return addAtom(isNegated ? u"[\\s\\S]"_s : u"[^\\s\\S]"_s);
    }
    while (!isAtEnd() && peek() != u']') {
        const Escape from = takeClassAtom();
        written += from.written;
        if (peek() != u'-' || peek(1) == u']' || m_at + 1 >= m_pattern.size())
            continue;
        ++m_at;
        const Escape to = takeClassAtom();
        // Next to a class the hyphen is one; PCRE2 would complain.
        written += (from.isClass || to.isClass ? u"\\-"_s : u"-"_s) + to.written;
    }
    if (isAtEnd())
        return refuse(u"a [ is not closed"_s);
    ++m_at;
    addAtom(written + u']');
}

Translator::Escape Translator::takeClassAtom()
{
    const QChar c = peek();
    if (c == u'\\' && peek(1) == u'b') {
        m_at += 2;
        return { u"\\x08"_s };
    }
    if (c == u'\\')
        return takeEscape();
    ++m_at;
    const bool isSpecial = c == u'[' || c == u'^' || c == u'-';
    return { isSpecial ? u'\\' + QString(c) : QString(c) };
}

} // namespace

Result<QString> pcreFromEcmaScript(const QString& pattern, qint64 maxAtoms)
{
    return Translator(pattern, maxAtoms).translate();
}

} // namespace isol8
