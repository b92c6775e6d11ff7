# The cgroup release_agent (CVE-2022-0492): nothing of a cgroup can be written, and none can be mounted.
import subprocess

tried = 0
for root, _, names in os.walk("/sys/fs/cgroup"):
    for name in names:
        if name in ("release_agent", "notify_on_release", "cgroup.procs", "tasks", "memory.limit_in_bytes", "memory.max", "pids.max", "cpu.max"):
            tried += 1
            refused("write " + os.path.join(root, name), lambda: put(os.path.join(root, name), b"1"))
say("there are files to write", tried > 0, tried)
os.makedirs("/tmp/cgroup", exist_ok=True)
for flags in ("-UrmC", "-Urm", "-m", "-C", "-r"):
    made = subprocess.run(["unshare", flags, "sh", "-c", "mount -t cgroup -o rdma x /tmp/cgroup || mount -t cgroup2 x /tmp/cgroup"], capture_output=True)
    say("unshare " + flags, made.returncode != 0, made)
say("nothing was mounted", not os.listdir("/tmp/cgroup"), os.listdir("/tmp/cgroup"))
works("reading the limits", lambda: any(os.path.exists(p) and read(p) for p in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")))
