// SPDX-License-Identifier: MIT
#include "tests/engine/guest/guestprocess.h"

#include "engine/guest/guestbinary.h"

#include <QFile>

#include <csignal>

namespace isol8::test {

using namespace Qt::StringLiterals;

namespace {

// A root like a container's: the machine's /usr to read, tmpfs to write, devices, and nothing else.
// The shell becomes the guest, which so is process 1 of the namespace that unshare(1) has made.
// Loopback is up, as in a container's network namespace (SIOCSIFFLAGS, IFF_UP).
// $1 is a directory to build it in, $2 the guest, $3 its control groups, $4 the host's folder, $5
// `denied` to refuse ptrace(2), as hardened kernels do (seccomp(2): SECCOMP_RET_ERRNO with EPERM
// for that call of x86-64); the rest are the guest's arguments.
constexpr auto script = R"(
set -e
root=$1
guest=$2
cgroup=$3
host=$4
tracing=$5
shift 5
mount --make-rprivate /
perl -e 'socket(S, 2, 2, 0) && ioctl(S, 0x8914, $up = pack("a16 s x22", "lo", 1)) or die $!'
mount -t tmpfs -o mode=0755,size=1m none $root
cd $root
mkdir usr proc dev sys sandbox tmp .isol8 .isol8-host etc
for name in bin sbin lib lib64; do ln -s usr/$name $name; done
touch .isol8/guest
mount --bind $guest .isol8/guest
mount --bind $host .isol8-host
mount -o remount,bind,ro .isol8-host
mount --rbind /usr usr
mount -o remount,bind,ro usr
mount -t proc proc proc
mount -t tmpfs -o nosuid,nodev,exec,size=256m,uid=100,gid=101,mode=0755 none sandbox
mount -t tmpfs -o nosuid,nodev,noexec,size=64m,mode=1777 none tmp
mount -t tmpfs -o nosuid,mode=0755,size=64k none dev
for name in null zero random urandom tty; do
    touch dev/$name
    mount --bind /dev/$name dev/$name
done
mkdir dev/pts dev/shm dev/mqueue
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620 none dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd/1 dev/stdout
mount -t tmpfs -o nosuid,nodev,noexec,size=64m,mode=1777 none dev/shm
mount -t mqueue -o nosuid,nodev,noexec mqueue dev/mqueue
mount --rbind /sys sys
[ "$cgroup" = real ] || mount -t tmpfs -o mode=0755,size=1m none sys/fs/cgroup
cd sys/fs/cgroup
case $cgroup in
1)
    mkdir memory pids
    echo 1000 >memory/memory.max_usage_in_bytes
    printf 'oom_kill_disable 0\nunder_oom 0\noom_kill 5\n' >memory/memory.oom_control
    echo 'max 3' >pids/pids.events
    ;;
2)
    echo 1000 >memory.peak
    printf 'low 0\nhigh 0\nmax 9\noom 8\noom_kill 5\noom_group_kill 0\n' >memory.events
    echo 'max 3' >pids.events
    ;;
esac
cd $root
mount -o remount,bind,ro .
pivot_root . .
umount -l .
cd /
set -- /.isol8/guest "$@"
[ "$tracing" != denied ] || set -- perl -e '
    $code = pack("(SCCL)4", 0x20, 0, 0, 0, 0x15, 0, 1, 101, 0x06, 0, 0, 0x50001, 0x06, 0, 0, 0x7fff0000);
    $filter = pack("S x6 P", 4, $code);
    syscall(157, 22, 2, $filter, 0, 0) == 0 or die $!;
    exec @ARGV' "$@"
exec setpriv --no-new-privs --inh-caps=-all \
    --bounding-set=-all,+setuid,+setgid,+setpcap,+kill "$@"
)";

} // namespace

GuestProcess::GuestProcess(const QStringList& arguments, const QString& cgroup, bool mayTrace)
{
    QFile guest(m_directory.filePath(u"guest"_s));
    if (guest.open(QIODevice::WriteOnly))
        guest.write(guestBinary());
    guest.close();
    guest.setPermissions(QFile::ReadOwner | QFile::ExeOwner);
    const QString root = m_directory.filePath(u"root"_s);
    QDir().mkpath(root);
    QDir().mkpath(hostFolder());

    m_process.setProcessChannelMode(QProcess::SeparateChannels);
    m_process.setReadChannel(QProcess::StandardOutput);
    connect(&m_process, &QProcess::readyReadStandardOutput, this, &GuestProcess::pass);
    connect(&m_process, &QProcess::bytesWritten, this, &GuestTransport::written);
    connect(&m_process, &QProcess::readyReadStandardError, this,
        [this] { m_errors.append(m_process.readAllStandardError()); });
    connect(&m_process, &QProcess::finished, this, [this](int exitCode) {
        m_isReading = true;
        pass();
        Q_EMIT closed({ Kind::Unreachable,
            u"the guest ended with %1: %2"_s.arg(exitCode).arg(QString::fromUtf8(m_errors)) });
    });
    m_process.start(u"unshare"_s,
        QStringList { u"--pid"_s, u"--fork"_s, u"--mount"_s, u"--net"_s, u"--ipc"_s, u"sh"_s,
            u"-c"_s, QString::fromLatin1(script), u"sh"_s, root, guest.fileName(), cgroup,
            hostFolder(), mayTrace ? u"allowed"_s : u"denied"_s }
            + arguments);
}

GuestProcess::~GuestProcess()
{
    m_process.disconnect(this);
    kill();
    m_process.waitForFinished();
}

QString GuestProcess::hostFolder() const
{
    return m_directory.filePath(u"s1"_s);
}

qint64 GuestProcess::guestPid() const
{
    // unshare(1) waits for its one child.
    const auto pid = QString::number(m_process.processId());
    QFile children(u"/proc/%1/task/%1/children"_s.arg(pid));
    if (m_process.processId() == 0 || !children.open(QIODevice::ReadOnly))
        return 0;
    return children.readAll().trimmed().toLongLong();
}

void GuestProcess::kill()
{
    if (const auto pid = guestPid())
        ::kill(static_cast<pid_t>(pid), SIGKILL);
}

void GuestProcess::write(const QByteArray& bytes)
{
    m_process.write(bytes);
}

qint64 GuestProcess::pendingBytes() const
{
    return m_process.bytesToWrite();
}

void GuestProcess::setReading(bool isReading)
{
    m_isReading = isReading;
    pass();
}

void GuestProcess::close()
{
    m_process.closeWriteChannel();
}

void GuestProcess::pass()
{
    if (!m_isReading)
        return;
    const QByteArray bytes = m_process.readAllStandardOutput();
    if (!bytes.isEmpty())
        Q_EMIT received(bytes);
}

} // namespace isol8::test
