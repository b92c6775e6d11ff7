// SPDX-License-Identifier: MIT
#include "engine/source/sourceurl.h"

#include <QStringList>
#include <QUrl>

using namespace Qt::StringLiterals;

namespace isol8 {

namespace {

/// The parts between slashes, ready for a URL; none when one of them would change its meaning.
QStringList encodedParts(const QString& text)
{
    QStringList parts;
    for (const QString& part : text.split(u'/')) {
        if (part.isEmpty() || part == "."_L1 || part == ".."_L1 || !part.isValidUtf16())
            return {};
        parts << QString::fromLatin1(QUrl::toPercentEncoding(part));
    }
    return parts;
}

std::unexpected<Error> invalid(const QString& text, const QString& allowed)
{
    return failure(
        Kind::Invalid, u"'%1' names no source file; it has to be %2"_s.arg(text, allowed));
}

} // namespace

Result<QString> githubSourceUrl(const QString& text)
{
    const QStringList parts = encodedParts(text);
    if (parts.size() < 4)
        return invalid(text, u"owner/repo/ref/path"_s);
    return u"https://raw.githubusercontent.com/"_s + parts.join(u'/');
}

Result<QString> gistSourceUrl(const QString& text)
{
    const QStringList parts = encodedParts(text);
    if (parts.size() != 2)
        return invalid(text, u"id/file"_s);
    return u"https://gist.githubusercontent.com/raw/"_s + parts.join(u'/');
}

} // namespace isol8
