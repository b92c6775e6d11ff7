# ESC-01: who the program is, and what it may do.
status = dict(line.split(":", 1) for line in read("/proc/self/status").decode().splitlines() if ":" in line)
for key in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
    say(key, int(status[key], 16) == 0, status[key])
say("NoNewPrivs", status["NoNewPrivs"].strip() == "1", status["NoNewPrivs"])
say("Seccomp", status["Seccomp"].strip() == "2", status["Seccomp"])
say("Uid", status["Uid"].split() == ["100"] * 4, status["Uid"])
say("Gid", status["Gid"].split() == ["101"] * 4, status["Gid"])
say("Groups", status["Groups"].split() in ([], ["101"]), status["Groups"])
say("SigBlk", int(status["SigBlk"], 16) == 0, status["SigBlk"])
say("umask", os.umask(0o22) == 0o22, "umask")
say("cwd", os.getcwd() == "/sandbox", os.getcwd())
fds = sorted(int(name) for name in os.listdir("/proc/self/fd"))
say("descriptors", all(fd <= 3 for fd in fds), fds)  # 3 is the listing itself
refused("become root", lambda: os.setuid(0))
refused("become another user", lambda: os.setresuid(33, 33, 33))
refused("join a group", lambda: os.setgroups([0]))
refused("chown", lambda: os.chown("/sandbox", 0, 0))
