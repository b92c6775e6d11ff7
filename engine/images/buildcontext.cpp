// SPDX-License-Identifier: MIT
#include "engine/images/buildcontext.h"

#include "engine/core/escape.h"
#include "engine/files/tarreader.h"

#include <KCompressionDevice>
#include <KTar>

#include <QCoroFuture>
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

Result<> copyFile(
    Writer& writer, TarReader& archive, const TarReader::Member& file, const QString& target)
{
    const auto name = printable(QString::fromUtf8(file.path));
    if (file.sizeBytes > maxFileBytes)
        return failure(Kind::Limit, u"%1 in the downloaded archive is too large"_s.arg(name));
    const auto mode = (file.mode & 0111) != 0 ? programMode : fileMode;
    if (!writer.tar.prepareWriting(target, u"root"_s, u"root"_s, file.sizeBytes, mode))
        return writeFailure(target);
    for (;;) {
        if (*writer.isCancelled)
            return std::unexpected(cancelled());
        const auto chunk = archive.read(chunkBytes);
        if (!chunk)
            return std::unexpected(chunk.error().within(name));
        if (chunk->isEmpty())
            break;
        if (!writer.tar.writeData(chunk->constData(), chunk->size()))
            return writeFailure(target);
    }
    if (!writer.tar.finishWriting(file.sizeBytes))
        return writeFailure(target);
    return {};
}

/// @p path is relative to the artifact's part of the archive.
bool isLeftOut(const QStringList& path, const QStringList& left)
{
    return std::ranges::any_of(left, [&path](const QString& pattern) {
        if (!pattern.startsWith("*."_L1))
            return path.constFirst() == pattern;
        const auto ending = QStringView(pattern).sliced(1);
        return std::ranges::any_of(
            path, [&ending](const QString& name) { return name.endsWith(ending); });
    });
}

/// The names of a member's path; none for one that could lead elsewhere.
QStringList namesOf(const QByteArray& path)
{
    auto names = QString::fromUtf8(path).split(u'/');
    if (names.constFirst() == "."_L1)
        names.removeFirst();
    const bool isClean = std::ranges::none_of(names,
        [](const QString& name) { return name.isEmpty() || name == "."_L1 || name == ".."_L1; });
    return isClean ? names : QStringList();
}

Result<> copyPart(Writer& writer, const BuildContext::Part& part)
{
    const auto unreadable = [&part](const QString& why) {
        return failure(
            Kind::Protocol, u"cannot read the archive of %1: %2"_s.arg(part.artifact.package, why));
    };
    KCompressionDevice file(part.archivePath, KCompressionDevice::GZip);
    if (!file.open(QIODevice::ReadOnly))
        return unreadable(file.errorString());
    TarReader archive(file);
    const auto target = u"rootfs/"_s + part.artifact.to;
    // npm calls its folder "package", others call it what they like.
    auto from = part.artifact.from == "*"_L1 ? QStringList() : part.artifact.from.split(u'/');
    bool isFound = false;
    for (;;) {
        const auto member = archive.next();
        if (!member)
            return unreadable(member.error().message);
        if (!*member)
            break;
        const auto names = namesOf((*member)->path);
        if ((*member)->type != TarReader::Member::Type::File || names.isEmpty())
            continue; // Links of packages stay out.
        if (from.isEmpty())
            from = names.first(1);
        if (names.size() < from.size() || names.first(from.size()) != from)
            continue;
        isFound = true;
        const auto rest = names.sliced(from.size());
        if (!rest.isEmpty() && isLeftOut(rest, part.artifact.left))
            continue;
        const auto path = rest.isEmpty() ? target : target + u'/' + rest.join(u'/');
        if (const auto copied = copyFile(writer, archive, **member, path); !copied)
            return copied;
    }
    if (!isFound)
        return failure(Kind::Protocol,
            u"there is no %1 in the archive of %2"_s.arg(
                part.artifact.from, part.artifact.package));
    return {};
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
