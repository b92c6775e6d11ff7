// SPDX-License-Identifier: MIT
#include "engine/core/escape.h"

#include <QStringView>

using namespace Qt::StringLiterals;

namespace isol8 {

namespace {

/// Characters that change what is seen around them, or cannot be seen: controls (C0, DEL, C1), line
/// and paragraph separators, bidirectional marks (Unicode TR 9), zero-width characters, byte order
/// marks and tags.
bool isDeceptive(char32_t code)
{
    const auto isWithin
        = [code](char32_t first, char32_t last) { return code >= first && code <= last; };
    return code < 0x20 || isWithin(0x7f, 0x9f) || code == 0x61c || isWithin(0x200b, 0x200f)
        || isWithin(0x2028, 0x202e) || isWithin(0x2060, 0x206f) || code == 0xfeff
        || isWithin(0xd800, 0xdfff) || isWithin(0xfff9, 0xfffb) || isWithin(0xe0000, 0xe007f);
}

QString escaped(char32_t code)
{
    switch (code) {
    case U'\n':
        return u"\\n"_s;
    case U'\r':
        return u"\\r"_s;
    case U'\t':
        return u"\\t"_s;
    default:
        break;
    }
    if (code < 0x100)
        return u"\\x%1"_s.arg(uint(code), 2, 16, QChar(u'0'));
    if (code < 0x10000)
        return u"\\u%1"_s.arg(uint(code), 4, 16, QChar(u'0'));
    return u"\\U%1"_s.arg(uint(code), 8, 16, QChar(u'0'));
}

} // namespace

QString printable(const QString& text)
{
    QString shown;
    shown.reserve(text.size());
    for (qsizetype at = 0; at < text.size(); ++at) {
        char32_t code = text[at].unicode();
        if (text[at].isHighSurrogate() && at + 1 < text.size() && text[at + 1].isLowSurrogate())
            code = QChar::surrogateToUcs4(text[at], text[at + 1]);
        if (code > 0xffff)
            ++at;
        if (isDeceptive(code))
            shown += escaped(code);
        else
            shown += QChar::fromUcs4(code);
    }
    return shown;
}

} // namespace isol8
