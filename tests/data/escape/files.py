# ESC-03, 09, 10, 14, 15, 16, 18, 27: files that must not be written, read, run or found.
import glob, resource, socket, stat, subprocess

for path in ("/proc/sysrq-trigger", "/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe", "/proc/sys/kernel/hotplug",
             "/proc/sys/kernel/ns_last_pid", "/proc/sys/vm/drop_caches", "/proc/sys/fs/binfmt_misc/register",
             "/proc/sys/net/ipv4/ip_forward", "/proc/self/uid_map", "/proc/self/attr/exec", "/sys/kernel/uevent_helper",
             "/sys/power/state", "/etc/passwd", "/etc/hosts", "/etc/resolv.conf", "/.isol8/guest", "/usr/bin/python3"):
    refused("write " + path, lambda: put(path, b"1"))
refused("oom_score_adj below zero", lambda: put("/proc/self/oom_score_adj", b"-900"))
for root, _, names in os.walk("/sys/fs/cgroup"):
    for name in names:
        if name in ("release_agent", "notify_on_release", "cgroup.procs", "tasks", "memory.limit_in_bytes", "memory.max"):
            refused("write " + os.path.join(root, name), lambda: put(os.path.join(root, name), b"1"))

for path in ("/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/sched_debug", "/proc/acpi", "/proc/scsi", "/proc/kmsg", "/sys/firmware"):
    def content():
        if os.path.isdir(path):
            return os.listdir(path)
        return read(path)[:64]
    try:
        say("read " + path, not content(), "it has content")
    except OSError:
        say("read " + path, True)
for name in ("environ", "mem", "maps", "syscall", "stack", "auxv"):
    refused("read /proc/1/" + name, lambda: read("/proc/1/" + name)[:1] or (_ for _ in ()).throw(OSError(errno.EACCES, "empty")))
for name in ("root", "cwd", "exe", "fd"):
    refused("look at /proc/1/" + name, lambda: os.listdir("/proc/1/fd") if name == "fd" else os.readlink("/proc/1/" + name))
say("command line of process 1", read("/proc/1/cmdline").split(b"\0")[0] == b"/.isol8/guest", read("/proc/1/cmdline"))

found = subprocess.run(["find", "/", "-xdev", "-perm", "/6000", "-type", "f"], capture_output=True, text=True).stdout.split()
say("no set-user-ID programs", not found, found)
for path in ("mem", "kmem", "port", "kvm", "fuse", "loop-control", "net/tun", "vhost-net", "uinput", "sda", "vda", "nvme0n1", "hwrng"):
    refused("/dev/" + path, lambda: os.open("/dev/" + path, os.O_RDONLY))

sockets = [line.split()[-1] for line in read("/proc/net/unix").decode().splitlines()[1:] if len(line.split()) > 7]
say("no sockets to a daemon", not sockets, sockets)
say("no docker.sock", not os.path.exists("/var/run/docker.sock") and not os.path.exists("/run/docker.sock"))
strange = [name for name in os.environ if name.startswith(("DOCKER", "AWS", "ISOL8", "SSH", "XDG"))]
say("no variables of the host", not strange, strange)
import platform
say("host name", platform.node() == "isol8", platform.node())

allowed = {"/sandbox", "/tmp", "/dev", "/dev/shm", "/dev/pts", "/dev/mqueue", "/proc"}
for line in read("/proc/self/mountinfo").decode().splitlines():
    fields = line.split()
    point, options = fields[4], fields[5].split(",")
    if "rw" not in options or point in ("/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/proc/sched_debug"):
        continue
    # Docker mounts root's own tmpfs over cgroup v1's folders; nobody else may write to it.
    is_roots = point == "/sys/fs/cgroup" and not os.access(point, os.W_OK)
    say("may be written: " + point, point in allowed or is_roots, line)
    if point in ("/sandbox", "/tmp", "/dev/shm"):
        say(point + " is nosuid, nodev", {"nosuid", "nodev"} <= set(options), line)
    if point == "/tmp":
        say("/tmp is noexec", "noexec" in options, line)
size = os.statvfs("/sandbox")
say("size of /sandbox", size.f_blocks * size.f_frsize == 512 << 20, size)
size = os.statvfs("/tmp")
say("size of /tmp", size.f_blocks * size.f_frsize == 256 << 20, size)
size = os.statvfs("/dev/shm")
say("size of /dev/shm", size.f_blocks * size.f_frsize == 64 << 20, size)
say("no core files", resource.getrlimit(resource.RLIMIT_CORE) == (0, 0), resource.getrlimit(resource.RLIMIT_CORE))
try:
    resource.setrlimit(resource.RLIMIT_CORE, (1, 1))
    say("core limit cannot be raised", False)
except (ValueError, OSError):
    say("core limit cannot be raised", True)
names = [name for name in ("/etc/resolv.conf",) if any(not word.startswith(b"127.") for line in read(name).splitlines() if line.startswith(b"nameserver") for word in line.split()[1:])]
say("no name servers of the host", not names, names)
