// SPDX-License-Identifier: MIT
#include "engine/core/owner.h"

#include <QFile>
#include <QStringList>

#include <sys/stat.h>
#include <unistd.h>

namespace isol8 {

namespace {

using namespace Qt::StringLiterals;

QByteArray firstLine(const QString& path)
{
    QFile file(path);
    if (!file.open(QIODevice::ReadOnly))
        return {};
    return file.readLine(4096).trimmed();
}

QString ownPidNamespace()
{
    struct stat status {};
    if (::stat("/proc/self/ns/pid", &status) != 0)
        return {};
    return QString::number(status.st_ino);
}

QString currentBootId()
{
    return QString::fromLatin1(firstLine(u"/proc/sys/kernel/random/boot_id"_s));
}

/// 0 when there is no such process.
quint64 startTicksOf(qint64 pid)
{
    const auto line = firstLine(u"/proc/%1/stat"_s.arg(pid));
    // The name in parentheses may hold anything, so fields are counted from the last ')': the first
    // one after it is field 3.
    const auto fields = line.mid(line.lastIndexOf(')') + 2).split(' ');
    return fields.size() > 19 ? fields.at(19).toULongLong() : 0;
}

} // namespace

Owner Owner::self()
{
    const auto pid = ::getpid();
    return { currentBootId(), ownPidNamespace(), pid, startTicksOf(pid) };
}

std::optional<Owner> Owner::fromString(const QString& text)
{
    const auto parts = text.split(u'/');
    if (parts.size() != 4 || parts.at(0).isEmpty())
        return std::nullopt;
    bool isPid = false;
    bool isTicks = false;
    const Owner owner { parts.at(0), parts.at(1), parts.at(2).toLongLong(&isPid),
        parts.at(3).toULongLong(&isTicks) };
    if (!isPid || !isTicks || owner.pid <= 0)
        return std::nullopt;
    return owner;
}

QString Owner::toString() const
{
    return u"%1/%2/%3/%4"_s.arg(bootId, pidNamespace).arg(pid).arg(startTicks);
}

bool Owner::isProvablyDead() const
{
    if (bootId.isEmpty() || bootId != currentBootId() || pidNamespace != ownPidNamespace())
        return false;
    return startTicksOf(pid) != startTicks;
}

} // namespace isol8
