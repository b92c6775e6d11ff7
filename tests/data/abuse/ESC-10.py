# Reading what /proc and /sys tell of the machine and of process 1.
for path in ("/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/sched_debug", "/proc/acpi", "/proc/scsi", "/proc/kmsg", "/sys/firmware"):
    def content():
        if os.path.isdir(path):
            return os.listdir(path)
        with open(path, "rb", buffering=0) as file:
            return file.read(64)
    try:
        say("read " + path, not content(), "it has content")
    except OSError:
        say("read " + path, True)
if os.getpid() != 1:
    for name in ("environ", "mem", "maps", "syscall", "stack", "auxv"):
        refused("read /proc/1/" + name, lambda: read("/proc/1/" + name)[:1] or (_ for _ in ()).throw(OSError(errno.EACCES, "empty")))
    for name in ("root", "cwd", "exe", "fd"):
        refused("look at /proc/1/" + name, lambda: os.listdir("/proc/1/fd") if name == "fd" else os.readlink("/proc/1/" + name))
    say("command line of process 1", read("/proc/1/cmdline").split(b"\0")[0] == b"/.isol8/guest", read("/proc/1/cmdline"))
works("reading of itself", lambda: len(read("/proc/self/maps")) > 0 and len(read("/proc/self/environ")) > 0)
