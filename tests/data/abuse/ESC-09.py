# Writing to /proc, /sys and the root file system.
for path in ("/proc/sysrq-trigger", "/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe", "/proc/sys/kernel/hotplug",
             "/proc/sys/kernel/ns_last_pid", "/proc/sys/vm/drop_caches", "/proc/sys/vm/overcommit_memory", "/proc/sys/fs/binfmt_misc/register",
             "/proc/sys/net/ipv4/ip_forward", "/proc/sys/net/core/somaxconn", "/proc/self/uid_map", "/proc/self/gid_map",
             "/proc/self/attr/exec", "/proc/self/attr/current", "/sys/kernel/uevent_helper", "/sys/power/state",
             "/sys/module/kernel/parameters/panic", "/etc/passwd", "/etc/hosts", "/etc/resolv.conf", "/.isol8/guest", "/usr/bin/python3"):
    refused("write " + path, lambda: put(path, b"1"))
refused("oom_score_adj below zero", lambda: put("/proc/self/oom_score_adj", b"-900"))
works("oom_score_adj above", lambda: put("/proc/self/oom_score_adj", b"900") == 3)
works("own name", lambda: put("/proc/self/comm", b"renamed") == 7)
