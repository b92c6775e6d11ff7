// SPDX-License-Identifier: MIT
#include "ui/editor/textfile.h"

#include "engine/core/smallfile.h"

#include <QCoreApplication>
#include <QFileInfo>
#include <QSaveFile>
#include <QStringDecoder>

namespace isol8::ui {

using namespace Qt::StringLiterals;

namespace {

constexpr qsizetype examinedBytes = 64 * 1024;

QString tr(const char* text)
{
    return QCoreApplication::translate("TextFile", text);
}

} // namespace

Result<FileText> decodeText(const QByteArray& bytes)
{
    if (QByteArrayView(bytes).first(std::min(bytes.size(), examinedBytes)).contains('\0'))
        return failure(Kind::Invalid, tr("it is a binary file"));
    FileText result;
    result.hasByteOrderMark = bytes.startsWith("\xef\xbb\xbf");
    // Stateless: a character that is cut at the end is an error, not one to be completed.
    QStringDecoder decoder(QStringDecoder::Utf8, QStringDecoder::Flag::Stateless);
    result.text = decoder.decode(bytes);
    result.isLossy = decoder.hasError();
    // One character is found much faster than two, and most files have none of it.
    if (result.text.contains(u'\r') && result.text.contains(u"\r\n")) {
        result.lineEnding = FileText::LineEnding::Windows;
        result.text.replace(u"\r\n"_s, u"\n"_s);
    }
    // A document would take them for the ends of lines and lose them.
    if (result.text.contains(u'\r') || result.text.contains(QChar::ParagraphSeparator))
        result.isLossy = true;
    return result;
}

QByteArray encodeText(const FileText& text)
{
    auto content = text.text;
    if (text.lineEnding == FileText::LineEnding::Windows)
        content.replace(u"\n"_s, u"\r\n"_s);
    return text.hasByteOrderMark ? "\xef\xbb\xbf" + content.toUtf8() : content.toUtf8();
}

Result<FileText> readTextFile(const QString& path)
{
    const auto bytes = readSmallFile(path, maxEditedBytes);
    if (!bytes)
        return std::unexpected(bytes.error());
    auto text = decodeText(*bytes);
    if (!text)
        return std::unexpected(text.error().within(path));
    return text;
}

Result<> writeTextFile(const QString& path, const FileText& text)
{
    const QFileInfo info(path);
    QSaveFile file(info.isSymLink() ? info.symLinkTarget() : path);
    const auto bytes = encodeText(text);
    if (file.open(QIODevice::WriteOnly) && file.write(bytes) == bytes.size() && file.commit())
        return {};
    const auto kind = file.error() == QFileDevice::PermissionsError ? Kind::Denied : Kind::Limit;
    return failure(kind, tr("%1 cannot be written: %2").arg(path, file.errorString()));
}

} // namespace isol8::ui
