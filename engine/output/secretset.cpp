// SPDX-License-Identifier: MIT
#include "engine/output/secretset.h"

#include "engine/output/maskautomaton.h"
#include "engine/output/masker.h"

#include <QSet>

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

/// As the inside of a JSON string; @p isAscii: with \u escapes for everything beyond ASCII.
QByteArray jsonEscaped(const QString& value, bool isAscii)
{
    QString escaped;
    for (const QChar character : value) {
        const char16_t code = character.unicode();
        static const QMap<char16_t, QString> shortEscapes { { u'"', u"\\\""_s },
            { u'\\', u"\\\\"_s }, { u'\n', u"\\n"_s }, { u'\r', u"\\r"_s }, { u'\t', u"\\t"_s },
            { u'\b', u"\\b"_s }, { u'\f', u"\\f"_s } };
        if (shortEscapes.contains(code))
            escaped += shortEscapes[code];
        else if (code < 0x20 || (isAscii && code > 0x7e))
            escaped += u"\\u%1"_s.arg(code, 4, 16, QChar(u'0'));
        else
            escaped += character;
    }
    return escaped.toUtf8();
}

void addEncodings(QSet<QByteArray>& patterns, const QString& value)
{
    const QByteArray bytes = value.toUtf8();
    if (bytes.size() < SecretSet::minEncodedBytes || bytes.size() > SecretSet::maxEncodedBytes)
        return;
    for (const auto alphabet : base64Alphabets) {
        for (int before = 0; before < 3; ++before)
            patterns.insert(base64Core(bytes, before, alphabet));
        // Alone, as `base64` and `echo … | base64` write it: with the last, shared characters too.
        patterns.insert(bytes.toBase64(alphabet));
        patterns.insert((bytes + '\n').toBase64(alphabet));
    }
    patterns.insert(bytes.toHex());
    patterns.insert(bytes.toHex().toUpper());
    for (const char* unescaped : percentUnescaped) {
        QByteArray encoded = value.toUtf8().toPercentEncoding(unescaped);
        patterns.insert(encoded);
        patterns.insert(encoded.replace("%20", "+")); // As in a form's body.
    }
    patterns.insert(jsonEscaped(value, /*isAscii=*/false));
    patterns.insert(jsonEscaped(value, /*isAscii=*/true));
}

/// Every byte string that stands for @p value.
QSet<QByteArray> patternsOf(const QString& value)
{
    QSet<QByteArray> patterns;
    QString unixText = value;
    unixText.replace("\r\n"_L1, "\n"_L1);
    QString dosText = unixText;
    dosText.replace(u'\n', "\r\n"_L1);
    for (const QString& text : { value, unixText, dosText, value.trimmed() }) {
        patterns.insert(text.toUtf8());
        addEncodings(patterns, text);
    }
    const QStringList lines = unixText.split(u'\n');
    for (const QString& line : lines) {
        const QByteArray bytes = line.trimmed().toUtf8();
        if (lines.size() > 1 && bytes.size() >= SecretSet::minEncodedBytes)
            patterns.insert(bytes);
    }
    patterns.removeIf(
        [](const QByteArray& text) { return text.size() < SecretSet::minValueBytes; });
    return patterns;
}

} // namespace

SecretSet::SecretSet() = default;

SecretSet::SecretSet(const QMap<QString, QString>& secrets)
{
    QSet<QByteArray> patterns;
    for (const auto& [name, value] : secrets.asKeyValueRange()) {
        if (value.isEmpty())
            continue;
        if (value.toUtf8().size() < minValueBytes || value.trimmed().isEmpty())
            m_unmaskedNames.append(name);
        else
            patterns.unite(patternsOf(value));
    }
    if (!patterns.isEmpty())
        m_automaton = std::make_shared<const MaskAutomaton>(patterns.values());
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
