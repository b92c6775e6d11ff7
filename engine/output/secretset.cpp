// SPDX-License-Identifier: MIT
#include "engine/output/secretset.h"

#include "engine/output/maskautomaton.h"
#include "engine/output/masker.h"

#include <QSet>

#include <algorithm>
#include <array>
#include <numeric>

using namespace Qt::StringLiterals;

namespace isol8 {

namespace {

constexpr auto base64Alphabets = { QByteArray::Base64Encoding, QByteArray::Base64UrlEncoding };

/// What stays as it is, beside letters, digits and `-._~`: encodeURIComponent (ECMA-262), quote()
/// of Python, RFC 3986.
constexpr auto percentUnescaped = { "!*'()", "/", "" };

/// The characters of the base64 text that depend on @p value alone when @p before bytes, modulo 3,
/// stand before it.
QByteArray base64Core(const QByteArray& value, int before, QByteArray::Base64Option alphabet)
{
    const QByteArray text
        = (QByteArray(before, '\0') + value).toBase64(alphabet | QByteArray::OmitTrailingEquals);
    const qsizetype first = (before * 8 + 5) / 6;
    const qsizetype end = (before + value.size()) * 8 / 6;
    return text.sliced(first, end - first);
}

/// What writers of JSON escape beyond what they must.
struct JsonStyle {
    bool isAscii = false; ///< \u escapes for everything beyond ASCII.
    bool escapesSlashes = false; ///< PHP.
    bool escapesHtml = false; ///< Go.
};

/// As the inside of a JSON string.
QByteArray jsonEscaped(const QString& value, JsonStyle style)
{
    static const QMap<char16_t, QString> shortEscapes { { u'"', u"\\\""_s }, { u'\\', u"\\\\"_s },
        { u'\n', u"\\n"_s }, { u'\r', u"\\r"_s }, { u'\t', u"\\t"_s }, { u'\b', u"\\b"_s },
        { u'\f', u"\\f"_s } };
    QString escaped;
    for (const QChar character : value) {
        const char16_t code = character.unicode();
        const bool isHtml = code == u'<' || code == u'>' || code == u'&';
        if (shortEscapes.contains(code))
            escaped += shortEscapes[code];
        else if (code < 0x20 || (style.isAscii && code > 0x7e) || (style.escapesHtml && isHtml))
            escaped += u"\\u%1"_s.arg(code, 4, 16, QChar(u'0'));
        else if (code == u'/' && style.escapesSlashes)
            escaped += u"\\/"_s;
        else
            escaped += character;
    }
    return escaped.toUtf8();
}

/// How writers of XML and HTML escape quotes; `&`, `<` and `>` they all escape alike.
struct QuoteEntities {
    QLatin1StringView doubleQuote;
    QLatin1StringView singleQuote;
};
constexpr std::array quoteEntities {
    QuoteEntities { "\""_L1, "'"_L1 }, // In text.
    QuoteEntities { "&quot;"_L1, "'"_L1 },
    QuoteEntities { "&quot;"_L1, "&apos;"_L1 },
    QuoteEntities { "&quot;"_L1, "&#39;"_L1 },
    QuoteEntities { "&quot;"_L1, "&#x27;"_L1 },
    QuoteEntities { "&#34;"_L1, "&#39;"_L1 },
};

QByteArray xmlEscaped(QString value, const QuoteEntities& quotes)
{
    value.replace(u'&', "&amp;"_L1).replace(u'<', "&lt;"_L1).replace(u'>', "&gt;"_L1);
    return value.replace(u'"', quotes.doubleQuote).replace(u'\'', quotes.singleQuote).toUtf8();
}

QSet<QByteArray> spellingsOf(const QString& value)
{
    const QByteArray bytes = value.toUtf8();
    QSet<QByteArray> spellings;
    for (const auto alphabet : base64Alphabets) {
        for (int before = 0; before < 3; ++before)
            spellings.insert(base64Core(bytes, before, alphabet));
        // Alone, as `base64` and `echo … | base64` write it: with the last, shared characters too.
        spellings.insert(bytes.toBase64(alphabet));
        spellings.insert((bytes + '\n').toBase64(alphabet));
    }
    spellings.insert(bytes.toHex());
    spellings.insert(bytes.toHex().toUpper());
    for (const char* unescaped : percentUnescaped) {
        QByteArray encoded = bytes.toPercentEncoding(unescaped);
        spellings.insert(encoded);
        spellings.insert(encoded.replace("%20", "+")); // As in a form's body.
    }
    for (const JsonStyle style :
        { JsonStyle {}, JsonStyle { .isAscii = true }, JsonStyle { .escapesSlashes = true },
            JsonStyle { .isAscii = true, .escapesSlashes = true },
            JsonStyle { .escapesHtml = true } })
        spellings.insert(jsonEscaped(value, style));
    for (const QuoteEntities& quotes : quoteEntities)
        spellings.insert(xmlEscaped(value, quotes));
    return spellings;
}

/// The texts that stand for @p value as it is: of each the spellings count as well.
QSet<QString> textsOf(const QString& value)
{
    QString unixText = value;
    unixText.replace("\r\n"_L1, "\n"_L1);
    QString dosText = unixText;
    dosText.replace(u'\n', "\r\n"_L1);
    return { value, unixText, dosText, value.trimmed() };
}

void addLines(QSet<QByteArray>& patterns, const QString& value)
{
    const QStringList lines = value.split(u'\n');
    for (const QString& line : lines) {
        const QByteArray bytes = line.trimmed().toUtf8();
        if (lines.size() > 1 && bytes.size() >= SecretSet::minLineBytes)
            patterns.insert(bytes);
    }
}

/// Every byte string that stands for one of @p values.
QSet<QByteArray> patternsOf(QStringList values)
{
    std::ranges::stable_sort(values, {}, &QString::size);
    QSet<QByteArray> patterns;
    qsizetype spellingsBytes = 0;
    for (const QString& value : values) {
        addLines(patterns, value);
        for (const QString& text : textsOf(value)) {
            patterns.insert(text.toUtf8());
            if (text.size() > SecretSet::maxSpelledBytes)
                continue;
            const QSet<QByteArray> spellings = spellingsOf(text) - patterns;
            const auto bytes = std::accumulate(spellings.begin(), spellings.end(), qsizetype(0),
                [](qsizetype sum, const QByteArray& one) { return sum + one.size(); });
            if (spellingsBytes + bytes > SecretSet::maxSpellingsBytes)
                continue;
            spellingsBytes += bytes;
            patterns.unite(spellings);
        }
    }
    patterns.removeIf(
        [](const QByteArray& text) { return text.size() < SecretSet::minValueBytes; });
    return patterns;
}

} // namespace

SecretSet::SecretSet() = default;

SecretSet::SecretSet(const QMap<QString, QString>& secrets)
{
    QStringList values;
    for (const auto& [name, value] : secrets.asKeyValueRange()) {
        if (value.isEmpty())
            continue;
        if (value.toUtf8().size() < minValueBytes || value.trimmed().isEmpty())
            m_unmaskedNames.append(name);
        else
            values.append(value);
    }
    if (!values.isEmpty())
        m_automaton = std::make_shared<const MaskAutomaton>(patternsOf(values).values());
}

bool SecretSet::isEmpty() const
{
    return m_automaton == nullptr;
}

QString SecretSet::masked(const QString& text) const
{
    return isEmpty() ? text : QString::fromUtf8(masked(text.toUtf8()));
}

QByteArray SecretSet::masked(const QByteArray& bytes) const
{
    Masker masker(*this);
    const QByteArray shown = masker.feed(bytes);
    return shown + masker.flush();
}

} // namespace isol8
