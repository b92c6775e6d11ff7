# The writable mounts are exactly the documented ones.
allowed = {"/sandbox", "/tmp", "/dev", "/dev/shm", "/dev/pts", "/dev/mqueue", "/proc"}
seen = set()
for line in read("/proc/self/mountinfo").decode().splitlines():
    fields = line.split()
    point, options = fields[4], fields[5].split(",")
    if "rw" not in options or point in ("/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/proc/sched_debug"):
        continue
    # Docker mounts root's own tmpfs over cgroup v1's folders; nobody else may write to it.
    is_roots = point == "/sys/fs/cgroup" and not os.access(point, os.W_OK)
    say("may be written: " + point, point in allowed or is_roots, line)
    seen.add(point)
    if point != "/dev":
        say(point + " is nosuid", "nosuid" in options or is_roots, line)
    if point in ("/sandbox", "/tmp", "/dev/shm"):
        say(point + " is nodev", "nodev" in options, line)
    if point == "/tmp":
        say("/tmp is noexec", "noexec" in options, line)
say("the documented ones are there", {"/sandbox", "/tmp", "/dev/shm"} <= seen, seen)
for point, size in (("/sandbox", 512 << 20), ("/tmp", int(os.environ.get("TMP_SIZE", 256 << 20))), ("/dev/shm", 64 << 20)):
    got = os.statvfs(point)
    say("size of " + point, got.f_blocks * got.f_frsize == size, got)
