// SPDX-License-Identifier: MIT
#include "engine/images/rootfs.h"

#include "engine/core/escape.h"
#include "engine/core/hostprocess.h"
#include "engine/images/recipe.h"

#include <QFile>
#include <QRegularExpression>
#include <QStandardPaths>

#include <csignal>
#include <unistd.h>

using namespace Qt::StringLiterals;

namespace isol8 {

namespace {

/// apt's `1,234 kB`: decimal units.
qint64 aptBytes(const QString& number, const QString& unit)
{
    auto plain = number;
    const auto value = plain.remove(u',').toDouble();
    const auto factor = unit == "GB"_L1 ? 1e9 : unit == "MB"_L1 ? 1e6 : unit == "kB"_L1 ? 1e3 : 1.0;
    return static_cast<qint64>(value * factor);
}

HostCommand commandFor(const RootfsSpec& spec)
{
    QStringList arguments { u"--verbose"_s, u"--variant=minbase"_s, u"--format=tar"_s,
        u"--include="_s + baserecipe::packages().join(u','),
        u"--aptopt=APT::Install-Recommends \"0\""_s, u"--aptopt=Acquire::Retries \"3\""_s,
        u"--aptopt=Acquire::http::Timeout \"30\""_s };
    for (const auto& option : baserecipe::dpkgOptions())
        arguments << u"--dpkgopt="_s + option;
    if (!spec.caBundle.isEmpty())
        arguments << u"--aptopt=Acquire::https::CAInfo \"%1/ca.crt\""_s.arg(spec.directory);
    // The script comes in the environment, so that no quoting can go wrong.
    arguments << u"--customize-hook=chroot \"$1\" /bin/bash -c \"$ISOL8_FINISH\""_s
              << baserecipe::suite() << spec.tarPath << spec.mirror;

    HostCommand command;
    command.environment.insert(u"ISOL8_FINISH"_s, QString::fromUtf8(baserecipe::finishScript()));
    command.environment.insert(u"TMPDIR"_s, spec.directory);
    command.environment.insert(u"LC_ALL"_s, u"C.UTF-8"_s);
    command.workingDirectory = spec.directory;
    if (::geteuid() == 0) {
        // Everything dies with the first process of the namespace, and no mount is seen outside.
        command.program = u"unshare"_s;
        command.arguments = QStringList { u"--mount"_s, u"--pid"_s, u"--fork"_s, u"--kill-child"_s,
            u"--"_s, u"mmdebstrap"_s, u"--mode=root"_s }
            + arguments;
    } else {
        // It makes the same namespaces by itself, and cleans up when it is asked to end.
        command.program = u"mmdebstrap"_s;
        command.arguments = QStringList { u"--mode=unshare"_s } + arguments;
        command.stopSignal = SIGTERM;
    }
    return command;
}

QString lastErrors(const QByteArray& tail)
{
    QStringList lines;
    for (const auto& line : QString::fromUtf8(tail).split(u'\n')) {
        if (line.startsWith("E: "_L1))
            lines << line.mid(3).trimmed();
    }
    return printable(lines.isEmpty() ? QString::fromUtf8(tail.right(300)).trimmed()
                                     : lines.mid(qMax(0, lines.size() - 3)).join(u"; "_s));
}

} // namespace

std::optional<ImageEvent> RootfsProgress::take(const QString& line)
{
    static const QRegularExpression need(
        uR"(^Need to get ([0-9.,]+) ([kMG]?B)(?:/[^ ]+ [kMG]?B)? of archives)"_s);
    static const QRegularExpression got(uR"(^Get:\d+ .* \[([0-9.,]+) ([kMG]?B)\]$)"_s);
    static const QRegularExpression count(uR"(^\d+ upgraded, (\d+) newly installed)"_s);
    static const QRegularExpression setUp(uR"(^Setting up (\S+))"_s);

    if (const auto match = need.match(line); match.hasMatch()) {
        m_totalBytes += aptBytes(match.captured(1), match.captured(2));
        return std::nullopt;
    }
    if (const auto match = got.match(line); match.hasMatch() && m_totalBytes > 0) {
        m_currentBytes
            = qMin(m_totalBytes, m_currentBytes + aptBytes(match.captured(1), match.captured(2)));
        return ImageEvent { ImageEvent::Kind::Progress, u"downloading packages"_s, m_currentBytes,
            m_totalBytes };
    }
    if (const auto match = count.match(line); match.hasMatch()) {
        m_packages += match.captured(1).toInt();
        return std::nullopt;
    }
    if (const auto match = setUp.match(line); match.hasMatch()) {
        m_setUp = qMin(m_setUp + 1, m_packages);
        return ImageEvent { ImageEvent::Kind::Progress,
            u"installing package %1 of %2: %3"_s.arg(m_setUp)
                .arg(m_packages)
                .arg(printable(match.captured(1))) };
    }
    return std::nullopt;
}

Error rootfsFailure(const QByteArray& errorTail)
{
    const auto has = [&errorTail](std::initializer_list<const char*> marks) {
        return std::ranges::any_of(
            marks, [&](const char* mark) { return errorTail.contains(mark); });
    };
    const auto why = lastErrors(errorTail);
    if (has({ "No space left on device", "Write error", "not enough free space" })) {
        return { Kind::Limit,
            u"no space left while the base image was made; it takes about 1 GB for a moment (%1)"_s
                .arg(why) };
    }
    if (has({ "NO_PUBKEY", "is not signed", "couldn't be verified", "BADSIG", "Hash Sum mismatch",
            "signatures were invalid", "OpenPGP signature verification failed" })) {
        return { Kind::Denied,
            u"what the Debian mirror sent cannot be verified; install debian-archive-keyring "
            "or choose another mirror (%1)"_s.arg(why) };
    }
    if (has({ "Could not resolve", "Temporary failure resolving", "Could not connect",
            "Connection refused", "Unable to connect", "Connection timed out", "Connection failed",
            "Failed to fetch", "does not have a Release file",
            "cannot initiate the connection" })) {
        return { Kind::Unreachable, u"the Debian mirror does not answer (%1)"_s.arg(why) };
    }
    if (has({ "newuidmap", "newgidmap", "subuid", "unshare", "user namespaces",
            "Operation not permitted" })) {
        return { Kind::Denied,
            u"mmdebstrap may not make a root file system: without root it needs user "
            "namespaces and the package uidmap with a range in /etc/subuid (%1)"_s.arg(why) };
    }
    return { Kind::Internal, u"mmdebstrap failed: %1"_s.arg(why) };
}

Task<> makeRootfs(RootfsSpec spec, ImageEventHandler handler, CancelToken cancel)
{
    if (QStandardPaths::findExecutable(u"mmdebstrap"_s).isEmpty()) {
        co_return failure(Kind::NotFound,
            u"mmdebstrap is needed to make the images from Debian's mirror; install it (apt "
            "install mmdebstrap, dnf install mmdebstrap) or give isol8 access to a registry"_s);
    }
    if (!spec.caBundle.isEmpty()) {
        QFile bundle(spec.directory + u"/ca.crt"_s);
        if (!bundle.open(QIODevice::WriteOnly)
            || bundle.write(spec.caBundle) != spec.caBundle.size()) {
            co_return failure(
                Kind::Limit, u"cannot write %1: %2"_s.arg(bundle.fileName(), bundle.errorString()));
        }
    }
    const auto progress = std::make_shared<RootfsProgress>();
    const auto line = [progress, handler](const QString& text) {
        if (const auto event = progress->take(text))
            handler(*event);
    };
    const auto made = co_await runOnHost(commandFor(spec), line, cancel);
    if (!made)
        co_return std::unexpected(made.error());
    if (made->exitCode != 0)
        co_return std::unexpected(rootfsFailure(made->errorTail));
    co_return {};
}

} // namespace isol8
