// SPDX-License-Identifier: MIT
#include "engine/core/strictjson.h"

#include "engine/core/escape.h"

#include <QJsonDocument>
#include <QSet>
#include <QStringDecoder>

#include <optional>
#include <vector>

using namespace Qt::StringLiterals;

namespace isol8 {

namespace {

constexpr int maxDepth = 128;
constexpr auto byteOrderMark = "\xef\xbb\xbf";

TextPosition positionOf(QByteArrayView text, qsizetype offset)
{
    const QByteArrayView before = text.first(qBound<qsizetype>(0, offset, text.size()));
    TextPosition position;
    position.line = 1 + int(before.count('\n'));
    const QByteArrayView line = before.sliced(before.lastIndexOf('\n') + 1);
    const auto isFirstByte = [](char byte) { return (byte & 0xc0) != 0x80; };
    position.column = 1 + int(std::ranges::count_if(line, isFirstByte));
    return position;
}

QString where(TextPosition position)
{
    return u"line %1, column %2: "_s.arg(position.line).arg(position.column);
}

/// Walks a text that QJsonDocument has found well-formed, without recursion, and finds what it does
/// not tell: positions, duplicate keys and unpaired surrogates.
class Walker {
public:
    Walker(QByteArrayView text, bool wantsPositions)
        : m_text(text)
        , m_wantsPositions(wantsPositions)
    {
    }

    std::optional<Error> walk();
    QHash<QString, TextPosition> positions() { return std::move(m_positions); }

private:
    struct Level {
        QString path;
        bool isObject = false;
        qsizetype index = 0;
        QString key;
        QSet<QString> keys;
    };

    std::optional<Error> readString(bool isKey);
    char16_t readEscape();
    std::optional<Error> begin(bool isObject);
    void skipScalar();
    [[nodiscard]] QString currentPath() const;
    void moveTo(qsizetype offset);
    [[nodiscard]] TextPosition position();
    [[nodiscard]] Error problem(const QString& sentence)
    {
        return { Kind::Invalid, where(position()) + sentence };
    }

    QByteArrayView m_text;
    bool m_wantsPositions;
    qsizetype m_at = 0;
    // The position of m_known, moved forward only, so that the whole walk stays linear.
    qsizetype m_known = 0;
    TextPosition m_position;
    std::vector<Level> m_levels;
    QHash<QString, TextPosition> m_positions;
    QString m_string;
};

void Walker::moveTo(qsizetype offset)
{
    for (; m_known < offset; ++m_known) {
        const char byte = m_text[m_known];
        if (byte == '\n') {
            ++m_position.line;
            m_position.column = 1;
        } else if ((byte & 0xc0) != 0x80) {
            ++m_position.column;
        }
    }
}

TextPosition Walker::position()
{
    moveTo(m_at);
    return m_position;
}

QString Walker::currentPath() const
{
    if (m_levels.empty())
        return {};
    const Level& level = m_levels.back();
    if (!level.isObject)
        return level.path + u"[%1]"_s.arg(level.index);
    return level.path.isEmpty() ? level.key : level.path + u'.' + level.key;
}

std::optional<Error> Walker::begin(bool isObject)
{
    if (m_levels.size() >= size_t(maxDepth))
        return problem(u"more than %1 levels of nesting"_s.arg(maxDepth));
    Level level;
    if (m_wantsPositions)
        level.path = currentPath();
    level.isObject = isObject;
    m_levels.push_back(std::move(level));
    ++m_at;
    return std::nullopt;
}

/// From the opening to behind the closing quote. The decoded text of a key goes to m_string; that
/// of a value, which may be many megabytes, is of no interest.
std::optional<Error> Walker::readString(bool isKey)
{
    const qsizetype start = m_at;
    const auto isPlain = [](char byte) { return byte != '"' && byte != '\\'; };
    bool isPairOpen = false; // After the first half of a surrogate pair.
    bool isWellFormed = true;
    m_string.clear();
    for (++m_at;;) {
        const auto rest = m_text.sliced(m_at);
        const auto run = rest.first(std::ranges::find_if_not(rest, isPlain) - rest.begin());
        m_at += run.size();
        if (isKey)
            m_string += QString::fromUtf8(run);
        char16_t unit = u'x'; // Of what an escape stands for.
        const bool isEnd = m_text[m_at] == '"';
        if (!isEnd) {
            unit = readEscape();
            if (isKey)
                m_string += QChar(unit);
        }
        const bool isSecond = QChar::isLowSurrogate(unit);
        const bool closesPair = isPairOpen && run.isEmpty() && isSecond;
        isWellFormed = isWellFormed && closesPair == isPairOpen && closesPair == isSecond;
        isPairOpen = QChar::isHighSurrogate(unit);
        if (isEnd)
            break;
    }
    ++m_at;
    if (!isWellFormed) {
        m_at = start;
        return problem(u"a string has an unpaired surrogate"_s);
    }
    return std::nullopt;
}

/// From the backslash to behind the escape.
char16_t Walker::readEscape()
{
    const char escape = m_text[m_at + 1];
    m_at += 2;
    switch (escape) {
    case 'b':
        return u'\b';
    case 'f':
        return u'\f';
    case 'n':
        return u'\n';
    case 'r':
        return u'\r';
    case 't':
        return u'\t';
    case 'u':
        m_at += 4;
        return char16_t(m_text.sliced(m_at - 4, 4).toUShort(nullptr, 16));
    default:
        return char16_t(escape);
    }
}

void Walker::skipScalar()
{
    while (m_at < m_text.size() && !QByteArrayView(" \t\r\n,]}").contains(m_text[m_at]))
        ++m_at;
}

std::optional<Error> Walker::walk()
{
    bool expectsKey = false;
    while (m_at < m_text.size()) {
        const char byte = m_text[m_at];
        const bool startsValue = !expectsKey && !QByteArrayView(" \t\r\n:,]}").contains(byte);
        if (startsValue && m_wantsPositions)
            m_positions.insert(currentPath(), position());
        if (byte == '{' || byte == '[') {
            if (auto error = begin(byte == '{'))
                return error;
            expectsKey = byte == '{';
        } else if (byte == '}' || byte == ']') {
            m_levels.pop_back();
            expectsKey = false;
            ++m_at;
        } else if (byte == ',') {
            ++m_levels.back().index;
            expectsKey = m_levels.back().isObject;
            ++m_at;
        } else if (byte == '"') {
            const qsizetype start = m_at;
            if (auto error = readString(expectsKey))
                return error;
            if (!expectsKey)
                continue;
            Level& level = m_levels.back();
            if (level.keys.contains(m_string)) {
                m_at = start;
                return problem(u"the key \"%1\" stands there twice"_s.arg(printable(m_string)));
            }
            level.keys.insert(m_string);
            level.key = m_string;
            expectsKey = false;
        } else if (startsValue) {
            skipScalar();
        } else {
            ++m_at;
        }
    }
    return std::nullopt;
}

/// QJsonDocument's recursion and its own limit lie deeper than what we accept.
std::optional<Error> checkDepth(QByteArrayView text)
{
    int depth = 0;
    bool isInString = false;
    for (qsizetype at = 0; at < text.size(); ++at) {
        const char byte = text[at];
        if (isInString) {
            if (byte == '\\')
                ++at;
            else if (byte == '"')
                isInString = false;
        } else if (byte == '"') {
            isInString = true;
        } else if (byte == '{' || byte == '[') {
            if (++depth > maxDepth)
                return Error { Kind::Invalid,
                    where(positionOf(text, at))
                        + u"more than %1 levels of nesting"_s.arg(maxDepth) };
        } else if (byte == '}' || byte == ']') {
            --depth;
        }
    }
    return std::nullopt;
}

Result<PositionedJson> parse(const QByteArray& text, bool wantsPositions)
{
    if (text.startsWith(byteOrderMark))
        return failure(
            Kind::Invalid, u"line 1, column 1: the text begins with a byte order mark"_s);
    if (text.trimmed().isEmpty())
        return failure(Kind::Invalid, u"line 1, column 1: empty, expected a JSON object"_s);
    if (const qsizetype nul = text.indexOf('\0'); nul >= 0)
        return failure(Kind::Invalid,
            where(positionOf(text, nul)) + u"a NUL byte: the text must be JSON in UTF-8"_s);
    if (auto error = checkDepth(text))
        return std::unexpected(*error);
    QJsonParseError problem;
    const QJsonDocument document = QJsonDocument::fromJson(text, &problem);
    if (problem.error != QJsonParseError::NoError)
        return failure(
            Kind::Invalid, where(positionOf(text, problem.offset)) + problem.errorString());
    if (!document.isObject())
        return failure(Kind::Invalid, u"line 1, column 1: expected a JSON object"_s);
    Walker walker(text, wantsPositions);
    if (auto error = walker.walk())
        return std::unexpected(*error);
    return PositionedJson { document.object(), walker.positions() };
}

} // namespace

Result<PositionedJson> parsePositionedJson(const QByteArray& text)
{
    return parse(text, true);
}

Result<QJsonObject> parseJsonObject(const QByteArray& text)
{
    auto parsed = parse(text, false);
    if (!parsed)
        return std::unexpected(parsed.error());
    return parsed->object;
}

} // namespace isol8
