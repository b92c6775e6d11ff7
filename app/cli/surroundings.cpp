// SPDX-License-Identifier: MIT
#include "app/cli/surroundings.h"

#include "engine/core/units.h"
#include "engine/core/validation.h"

#include <QFile>
#include <QFileInfo>

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace isol8::cli {

using namespace Qt::StringLiterals;

namespace {

Error systemError(int number)
{
    const auto kind = number == ENOENT || number == ENOTDIR ? Kind::NotFound
        : number == EACCES                                  ? Kind::Denied
                                                            : Kind::Internal;
    return { kind, QString::fromLocal8Bit(std::strerror(number)) };
}

/// Reads to the end, waiting for pipes as `cat` would, but never more than code may have.
Result<QByteArray> readBounded(int descriptor)
{
    struct stat status {};
    if (::fstat(descriptor, &status) == 0 && S_ISDIR(status.st_mode))
        return failure(Kind::Invalid, u"it is a directory"_s);
    QByteArray content;
    QByteArray buffer(64 * 1024, Qt::Uninitialized);
    while (content.size() <= maxCodeBytes) {
        const auto count = ::read(descriptor, buffer.data(), size_t(buffer.size()));
        if (count == 0)
            return content;
        if (count > 0)
            content.append(buffer.constData(), count);
        else if (errno != EINTR)
            return std::unexpected(systemError(errno));
    }
    return failure(Kind::Limit, u"it is larger than %1"_s.arg(formatSize(maxCodeBytes)));
}

Result<QByteArray> readFile(const QString& path)
{
    const int descriptor
        = ::open(QFile::encodeName(path).constData(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (descriptor < 0)
        return std::unexpected(systemError(errno).within(u"Cannot read '%1'"_s.arg(path)));
    auto content = readBounded(descriptor);
    ::close(descriptor);
    if (!content)
        return std::unexpected(content.error().within(u"Cannot read '%1'"_s.arg(path)));
    return content;
}

std::optional<QString> variable(const QString& name)
{
    const auto local = name.toLocal8Bit();
    if (!qEnvironmentVariableIsSet(local.constData()))
        return std::nullopt;
    return QString::fromLocal8Bit(qgetenv(local.constData()));
}

} // namespace

Surroundings realSurroundings()
{
    return { readFile, [] { return readBounded(STDIN_FILENO); }, variable,
        [](const QString& path) { return QFileInfo(path).isDir(); } };
}

} // namespace isol8::cli
