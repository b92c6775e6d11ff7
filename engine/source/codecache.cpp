// SPDX-License-Identifier: MIT
#include "engine/source/codecache.h"

#include "engine/core/escape.h"
#include "engine/core/smallfile.h"
#include "engine/core/validation.h"

#include <QCryptographicHash>
#include <QDir>
#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QRegularExpression>
#include <QSaveFile>

#include <algorithm>

using namespace Qt::StringLiterals;

namespace isol8 {

namespace {

constexpr qint64 maxNoteBytes = 256 << 10;
constexpr auto ownerOnly = QFileDevice::ReadOwner | QFileDevice::WriteOwner;

QString digestOf(const QByteArray& bytes)
{
    return QString::fromLatin1(QCryptographicHash::hash(bytes, QCryptographicHash::Sha256).toHex());
}

Result<> write(const QString& path, const QByteArray& content)
{
    QSaveFile file(path);
    if (file.open(QIODevice::WriteOnly) && file.setPermissions(ownerOnly)
        && file.write(content) == content.size() && file.commit())
        return {};
    return failure(
        Kind::Limit, u"cannot write %1: %2"_s.arg(printable(path), printable(file.errorString())));
}

bool makeDirectory(const QString& path)
{
    const QFileInfo info(path);
    if (info.isDir())
        return true;
    return QDir().mkpath(info.path()) && QDir().mkdir(path, ownerOnly | QFileDevice::ExeOwner);
}

} // namespace

CodeCache::CodeCache(const QString& directory, Limits limits)
    : m_directory(directory)
    , m_limits(limits)
{
}

QString CodeCache::notePath(const QString& url) const
{
    return m_directory + u'/' + digestOf(url.toUtf8()) + u".url"_s;
}

QString CodeCache::contentPath(const QString& digest) const
{
    return m_directory + u'/' + digest + u".code"_s;
}

std::optional<CodeCache::Entry> CodeCache::find(const QString& url, const QDateTime& now) const
{
    const auto text = readSmallFile(notePath(url), maxNoteBytes);
    if (!text)
        return std::nullopt;
    const QJsonObject note = QJsonDocument::fromJson(*text).object();
    const auto fetched = QDateTime::fromString(note[u"fetched"].toString(), Qt::ISODateWithMs);
    // From the future it is when the clock was set back.
    const bool isFresh
        = fetched.isValid() && fetched <= now && now < fetched.addDuration(m_limits.lifetime);
    static const QRegularExpression digest(u"\\A[0-9a-f]{64}\\z"_s);
    const QString sha256 = note[u"sha256"].toString();
    if (!isFresh || !digest.match(sha256).hasMatch())
        return std::nullopt;
    Entry entry;
    for (const QJsonValue& each : note[u"urls"].toArray())
        entry.urls << each.toString();
    if (entry.urls.isEmpty() || entry.urls.constFirst() != url)
        return std::nullopt;
    auto code = readSmallFile(contentPath(sha256), maxCodeBytes);
    if (!code || digestOf(*code) != sha256)
        return std::nullopt;
    entry.code = std::move(*code);
    return entry;
}

Result<> CodeCache::store(const Entry& entry, const QDateTime& now) const
{
    if (!makeDirectory(m_directory))
        return failure(Kind::Denied, u"cannot make %1"_s.arg(printable(m_directory)));
    const QString sha256 = digestOf(entry.code);
    const QJsonObject note { { u"urls"_s, QJsonArray::fromStringList(entry.urls) },
        { u"sha256"_s, sha256 }, { u"fetched"_s, now.toUTC().toString(Qt::ISODateWithMs) } };
    // The content first: a note never points to what is not there.
    const QStringList paths { contentPath(sha256), notePath(entry.urls.constFirst()) };
    if (auto written = write(paths[0], entry.code); !written)
        return written;
    const auto noted = write(paths[1], QJsonDocument(note).toJson());
    removeSurplus(paths, now);
    return noted;
}

/// Both kinds are written anew by each fetch, so that a file's age is that of the last one. What
/// was written just now stays.
void CodeCache::removeSurplus(const QStringList& newest, const QDateTime& now) const
{
    auto files
        = QDir(m_directory).entryInfoList({ u"*.url"_s, u"*.code"_s }, QDir::Files, QDir::Time);
    std::ranges::stable_partition(
        files, [&newest](const QFileInfo& file) { return newest.contains(file.filePath()); });
    const QDateTime oldest = now.addDuration(-m_limits.lifetime);
    qint64 bytes = 0;
    int kept = 0;
    for (const QFileInfo& file : std::as_const(files)) { // The youngest first.
        const bool isKept = file.lastModified() >= oldest && kept < m_limits.maxFiles
            && bytes + file.size() <= m_limits.maxBytes;
        if (isKept) {
            ++kept;
            bytes += file.size();
        } else {
            QFile::remove(file.filePath());
        }
    }
}

} // namespace isol8
