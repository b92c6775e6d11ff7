// SPDX-License-Identifier: MIT
#include "tests/abuse/hoststate.h"

#include "engine/sandbox/labels.h"

#include <QCoroTask>
#include <QDir>
#include <QFile>

#include <sys/inotify.h>
#include <unistd.h>

namespace isol8::tests {

using namespace Qt::StringLiterals;

namespace {

constexpr uint sandboxUser = 100;

QByteArray contents(const QString& path)
{
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

/// Rows of /proc/sysvipc (proc_sysvipc(5)) that belong to the sandbox user.
QSet<QByteArray> ipcObjects()
{
    QSet<QByteArray> objects;
    for (const auto& kind : { u"shm"_s, u"sem"_s, u"msg"_s }) {
        const auto lines = contents(u"/proc/sysvipc/"_s + kind).split('\n');
        const auto uidColumn = lines.value(0).simplified().split(' ').indexOf("uid");
        for (const auto& line : lines.sliced(1)) {
            const auto fields = line.simplified().split(' ');
            if (uidColumn >= 0 && fields.value(uidColumn).toUInt() == sandboxUser)
                objects << kind.toLatin1() + ' ' + fields.value(0) + ' ' + fields.value(1);
        }
    }
    return objects;
}

} // namespace

HostState HostState::now(docker::Client& docker)
{
    HostState state;
    const auto containers = QCoro::waitFor(docker.listContainers({}));
    const auto volumes = QCoro::waitFor(docker.listVolumes({}));
    if (!containers || !volumes)
        qFatal("Docker does not answer");
    for (const auto& container : *containers) {
        // A full pool is allowed, and so is the spare of a command line.
        const auto kind = container.labels.value(labels::kind);
        const bool isAllowed = kind == "pool"_L1 || kind == "spare"_L1;
        if (!isAllowed || container.state != "running"_L1)
            state.containers.insert(container.id, kind + u", "_s + container.state);
    }
    for (const auto& volume : *volumes)
        state.volumes << volume.name;
    state.objects = ipcObjects();
    for (const auto& folder : { u"/dev/shm"_s, u"/dev/mqueue"_s }) {
        for (const auto& entry : QDir(folder).entryInfoList(
                 QDir::AllEntries | QDir::System | QDir::Hidden | QDir::NoDotAndDotDot)) {
            if (entry.ownerId() == sandboxUser)
                state.objects << entry.filePath().toUtf8();
        }
    }
    return state;
}

QByteArray HostState::newSince(const HostState& before) const
{
    QByteArrayList left;
    for (const auto& [id, what] : containers.asKeyValueRange()) {
        if (!before.containers.contains(id))
            left << "container " + id.first(12).toLatin1() + " (" + what.toUtf8() + ')';
    }
    for (const auto& name : volumes - before.volumes)
        left << "volume " + name.toUtf8();
    for (const auto& object : objects - before.objects)
        left << object;
    return left.join(", ");
}

QList<QByteArray> processesWith(const QByteArray& marker)
{
    QList<QByteArray> found;
    for (const auto& entry : QDir(u"/proc"_s).entryList({ u"[0-9]*"_s }, QDir::Dirs)) {
        const auto folder = u"/proc/"_s + entry;
        const auto name = contents(folder + u"/comm"_s) + contents(folder + u"/cmdline"_s);
        if (name.contains(marker))
            found << name;
    }
    return found;
}

Canaries::Canaries(const QString& folder)
    : m_path(folder + u"/canary"_s)
    , m_watch(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC))
{
    QFile file(m_path);
    if (!file.open(QIODevice::WriteOnly) || file.write("nobody reads this\n") < 0)
        qFatal("cannot write %s", qPrintable(m_path));
    file.close();
    if (::inotify_add_watch(m_watch, QFile::encodeName(m_path).constData(), IN_ALL_EVENTS) < 0)
        qFatal("cannot watch %s", qPrintable(m_path));
}

Canaries::~Canaries()
{
    ::close(m_watch);
    QFile::remove(m_path);
}

bool Canaries::areUntouched()
{
    char buffer[4096];
    return ::read(m_watch, buffer, sizeof buffer) < 0;
}

} // namespace isol8::tests
