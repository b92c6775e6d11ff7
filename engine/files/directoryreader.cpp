// SPDX-License-Identifier: MIT
#include "engine/files/directoryreader.h"

#include "engine/core/escape.h"
#include "engine/core/smallfile.h"
#include "engine/core/units.h"

#include <QFile>
#include <QFileInfo>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <dirent.h>
#include <sys/stat.h>

using namespace Qt::StringLiterals;

namespace isol8 {

namespace {

constexpr std::array skippedNames { ".git"_L1, "node_modules"_L1, "__pycache__"_L1, ".venv"_L1,
    "venv"_L1, ".tox"_L1 };
constexpr int permissionBits = 07777;

QString shown(const QByteArray& path)
{
    return printable(QString::fromUtf8(path));
}

/// Goes through a tree by bytes, as the kernel names files; QDir would lose names that are not
/// UTF-8.
class Walker {
public:
    Walker(QByteArray root, DirectoryBounds bounds)
        : m_root(std::move(root))
        , m_bounds(bounds)
    {
    }

    Result<> walk(const QByteArray& relative, int depth);

    DirectoryListing listing;

private:
    Result<> visit(const QByteArray& relative, int depth);
    Result<> add(const QByteArray& relative, const QByteArray& source, const struct stat& status);
    Result<> followLink(const QByteArray& relative);
    Result<QList<QByteArray>> namesIn(const QByteArray& directory) const;
    void skip(const QByteArray& relative, const QString& reason)
    {
        listing.skipped.append(shown(relative) + u": "_s + reason);
    }

    QByteArray m_root;
    DirectoryBounds m_bounds;
    qint64 m_totalBytes = 0;
};

std::unexpected<Error> systemFailure(const QByteArray& path, int number)
{
    const Kind kind = number == ENOENT || number == ENOTDIR ? Kind::NotFound
        : number == EACCES || number == EPERM               ? Kind::Denied
                                                            : Kind::Internal;
    return failure(kind,
        u"cannot read %1: %2"_s.arg(shown(path), QString::fromLocal8Bit(std::strerror(number))));
}

bool isSkipped(const QByteArray& name)
{
    return std::ranges::any_of(
        skippedNames, [&name](QLatin1StringView skipped) { return name == skipped; });
}

Result<QList<QByteArray>> Walker::namesIn(const QByteArray& directory) const
{
    const std::unique_ptr<DIR, int (*)(DIR*)> stream(
        ::opendir(directory.constData()), [](DIR* opened) { return ::closedir(opened); });
    if (!stream)
        return systemFailure(directory, errno);
    QList<QByteArray> names;
    while (const dirent* entry = ::readdir(stream.get())) {
        const QByteArray name(entry->d_name);
        if (name == "." || name == ".." || isSkipped(name))
            continue;
        names.append(name);
        // The listing's bound holds for one huge directory too, before anything is sorted.
        if (names.size() > m_bounds.maxEntries)
            return failure(Kind::Limit,
                u"%1 holds more than %2 files"_s.arg(shown(directory)).arg(m_bounds.maxEntries));
    }
    std::ranges::sort(names);
    return names;
}

Result<> Walker::add(
    const QByteArray& relative, const QByteArray& source, const struct stat& status)
{
    if (listing.entries.size() >= m_bounds.maxEntries)
        return failure(Kind::Limit,
            u"%1 holds more than %2 files"_s.arg(shown(m_root)).arg(m_bounds.maxEntries));
    DirectoryEntry entry;
    entry.path = QString::fromUtf8(relative);
    if (entry.path.toUtf8() != relative)
        return failure(Kind::Invalid, u"the file name %1 is not UTF-8"_s.arg(shown(relative)));
    entry.isDirectory = S_ISDIR(status.st_mode);
    entry.mode = int(status.st_mode & permissionBits);
    entry.sizeBytes = entry.isDirectory ? 0 : status.st_size;
    entry.sourcePath = QFile::decodeName(source);
    m_totalBytes += entry.sizeBytes;
    if (m_totalBytes > m_bounds.maxTotalBytes)
        return failure(Kind::Limit,
            u"%1 holds more than %2"_s.arg(shown(m_root), formatSize(m_bounds.maxTotalBytes)));
    listing.entries.append(entry);
    return {};
}

Result<> Walker::followLink(const QByteArray& relative)
{
    const std::unique_ptr<char, void (*)(void*)> resolved(
        ::realpath((m_root + '/' + relative).constData(), nullptr), &std::free);
    if (!resolved) {
        skip(relative, u"a link that leads nowhere"_s);
        return {};
    }
    const QByteArray target(resolved.get());
    struct stat status {};
    const QByteArray inside = m_root.endsWith('/') ? m_root : m_root + '/';
    if (!target.startsWith(inside))
        skip(relative, u"a link out of the directory"_s);
    else if (std::ranges::any_of(target.sliced(inside.size()).split('/'), isSkipped))
        skip(relative, u"a link into a directory that is left out"_s);
    else if (::lstat(target.constData(), &status) != 0 || !S_ISREG(status.st_mode))
        skip(relative, u"a link to something else than a file"_s);
    else
        return add(relative, target, status);
    return {};
}

Result<> Walker::visit(const QByteArray& relative, int depth)
{
    const QByteArray path = m_root + '/' + relative;
    struct stat status {};
    if (::lstat(path.constData(), &status) != 0)
        return systemFailure(path, errno);
    if (S_ISLNK(status.st_mode))
        return followLink(relative);
    if (S_ISREG(status.st_mode))
        return add(relative, path, status);
    if (!S_ISDIR(status.st_mode)) {
        skip(relative, u"not a file"_s);
        return {};
    }
    if (const auto added = add(relative, path, status); !added)
        return added;
    return walk(relative, depth + 1);
}

Result<> Walker::walk(const QByteArray& relative, int depth)
{
    if (depth > m_bounds.maxDepth)
        return failure(Kind::Limit,
            u"%1 is more than %2 directories deep"_s.arg(shown(relative)).arg(m_bounds.maxDepth));
    const auto names = namesIn(relative.isEmpty() ? m_root : m_root + '/' + relative);
    if (!names)
        return std::unexpected(names.error());
    for (const QByteArray& name : *names) {
        const QByteArray path = relative.isEmpty() ? name : relative + '/' + name;
        if (const auto visited = visit(path, depth); !visited)
            return visited;
    }
    return {};
}

} // namespace

Result<DirectoryListing> readDirectory(const QString& directory, const DirectoryBounds& bounds)
{
    const QFileInfo info(directory);
    if (directory.isEmpty() || !info.exists())
        return failure(Kind::NotFound, u"directory not found: %1"_s.arg(printable(directory)));
    if (!info.isDir())
        return failure(Kind::Invalid, u"%1 is not a directory"_s.arg(printable(directory)));
    Walker walker(QFile::encodeName(info.canonicalFilePath()), bounds);
    if (const auto walked = walker.walk({}, 0); !walked)
        return std::unexpected(walked.error());
    return std::move(walker.listing);
}

Result<QByteArray> readEntry(const DirectoryEntry& entry)
{
    auto content = readSmallFile(entry.sourcePath, entry.sizeBytes);
    if (!content && content.error().kind == Kind::Limit)
        return failure(
            Kind::Limit, u"%1 has grown while it was read"_s.arg(printable(entry.sourcePath)));
    return content;
}

Result<QMap<QString, QByteArray>> readDirectoryFiles(
    const QString& directory, const DirectoryBounds& bounds)
{
    const auto listing = readDirectory(directory, bounds);
    if (!listing)
        return std::unexpected(listing.error());
    QMap<QString, QByteArray> files;
    for (const DirectoryEntry& entry : listing->entries) {
        if (entry.isDirectory)
            continue;
        auto content = readEntry(entry);
        if (!content)
            return std::unexpected(content.error());
        files.insert(entry.path, std::move(*content));
    }
    return files;
}

} // namespace isol8
