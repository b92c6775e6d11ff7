// SPDX-License-Identifier: MIT
#include "engine/images/buildcontext.h"

#include <KTar>

#include <QCoroFuture>
#include <QDir>
#include <QRegularExpression>
#include <QtConcurrentRun>

#include <atomic>

using namespace Qt::StringLiterals;

namespace isol8 {

namespace {

constexpr qint64 chunkBytes = 1 << 20;
constexpr qint64 maxFileBytes = 1LL << 30;
constexpr mode_t fileMode = 0100644;
constexpr mode_t programMode = 0100755;

struct Writer {
    KTar tar;
    std::shared_ptr<std::atomic_bool> isCancelled;
};

std::unexpected<Error> writeFailure(const QString& path)
{
    return failure(Kind::Limit, u"cannot write %1; is there space left?"_s.arg(path));
}

Result<> copyFile(Writer& writer, const KArchiveFile& file, const QString& target)
{
    if (file.size() > maxFileBytes)
        return failure(
            Kind::Limit, u"%1 in the downloaded archive is too large"_s.arg(file.name()));
    const std::unique_ptr<QIODevice> content(file.createDevice());
    const auto mode = (file.permissions() & 0111) != 0 ? programMode : fileMode;
    if (!content || !writer.tar.prepareWriting(target, u"root"_s, u"root"_s, file.size(), mode))
        return writeFailure(target);
    for (qint64 left = file.size(); left > 0;) {
        if (*writer.isCancelled)
            return std::unexpected(cancelled());
        const auto chunk = content->read(qMin(chunkBytes, left));
        if (chunk.isEmpty())
            return failure(
                Kind::Protocol, u"the downloaded archive ends within %1"_s.arg(file.name()));
        if (!writer.tar.writeData(chunk.constData(), chunk.size()))
            return writeFailure(target);
        left -= chunk.size();
    }
    if (!writer.tar.finishWriting(file.size()))
        return writeFailure(target);
    return {};
}

bool isLeftOut(const QString& name, const QStringList& left)
{
    return std::ranges::any_of(left, [&name](const QString& pattern) {
        return pattern.startsWith("*."_L1) ? name.endsWith(QStringView(pattern).sliced(1))
                                           : name == pattern;
    });
}

Result<> copyDirectory(Writer& writer, const KArchiveDirectory& directory, const QString& target,
    const QStringList& left)
{
    auto names = directory.entries();
    names.sort(); // the same tar for the same input
    const auto everywhere = left.filter(QRegularExpression(u"\\A\\*\\."_s));
    for (const auto& name : std::as_const(names)) {
        if (isLeftOut(name, left))
            continue;
        const auto* entry = directory.entry(name);
        const auto path = target + u'/' + name;
        Result<> copied;
        if (entry->isDirectory()) {
            copied = copyDirectory(
                writer, *static_cast<const KArchiveDirectory*>(entry), path, everywhere);
        } else if (entry->isFile() && entry->symLinkTarget().isEmpty()) {
            copied = copyFile(writer, *static_cast<const KArchiveFile*>(entry), path);
        }
        if (!copied)
            return copied;
    }
    return {};
}

Result<> copyPart(Writer& writer, const BuildContext::Part& part)
{
    KTar source(part.archivePath, u"application/gzip"_s);
    if (!source.open(QIODevice::ReadOnly))
        return failure(
            Kind::Protocol, u"cannot read the archive of %1"_s.arg(part.artifact.package));
    // npm calls its folder "package", others call it what they like.
    const auto roots = source.directory()->entries();
    const auto from = part.artifact.from == "*"_L1 ? roots.value(0) : part.artifact.from;
    const auto* entry = source.directory()->entry(from);
    const auto target = u"rootfs/"_s + part.artifact.to;
    if (entry && entry->isDirectory()) {
        return copyDirectory(
            writer, *static_cast<const KArchiveDirectory*>(entry), target, part.artifact.left);
    }
    if (entry && entry->isFile())
        return copyFile(writer, *static_cast<const KArchiveFile*>(entry), target);
    return failure(Kind::Protocol,
        u"there is no %1 in the archive of %2"_s.arg(part.artifact.from, part.artifact.package));
}

Result<> write(const BuildContext& context, const QString& tarPath,
    std::shared_ptr<std::atomic_bool> isCancelled)
{
    Writer writer { KTar(tarPath, u"application/x-tar"_s), std::move(isCancelled) };
    if (!writer.tar.open(QIODevice::WriteOnly))
        return writeFailure(tarPath);
    for (auto it = context.files.cbegin(); it != context.files.cend(); ++it) {
        if (!writer.tar.writeFile(it.key(), it.value(), fileMode, u"root"_s, u"root"_s))
            return writeFailure(tarPath);
    }
    for (const auto& part : context.parts) {
        if (const auto copied = copyPart(writer, part); !copied)
            return copied;
    }
    for (const auto& link : context.links) {
        if (!writer.tar.writeSymLink(u"rootfs/"_s + link.path, link.target, u"root"_s, u"root"_s))
            return writeFailure(tarPath);
    }
    if (*writer.isCancelled)
        return std::unexpected(cancelled());
    if (!writer.tar.close())
        return writeFailure(tarPath);
    return {};
}

} // namespace

Task<> writeContext(BuildContext context, QString tarPath, CancelToken cancel)
{
    const auto isCancelled = std::make_shared<std::atomic_bool>(false);
    const auto registration = cancel.onCancel([isCancelled] { *isCancelled = true; });
    const auto result = co_await QtConcurrent::run(
        [context, tarPath, isCancelled] { return write(context, tarPath, isCancelled); });
    co_return result;
}

} // namespace isol8
