# What Docker writes in tells nothing of the host, and cannot be changed.
import platform

for path in ("/etc/hosts", "/etc/resolv.conf", "/etc/hostname"):
    refused("write " + path, lambda: put(path, b"1"))
words = [line.split() for line in read("/etc/resolv.conf").decode().splitlines()] if os.path.exists("/etc/resolv.conf") else []
servers = [word for line in words if line[:1] == ["nameserver"] for word in line[1:] if not word.startswith("127.")]
say("no name servers of the host", not servers, servers)
say("no search domains", not any(line[:1] in (["search"], ["domain"]) and line[1:] not in ([], ["."]) for line in words), words)
say("host name", platform.node() == "isol8", platform.node())
hosts = [line.split() for line in read("/etc/hosts").decode().splitlines() if line.strip() and not line.startswith("#")]
say("hosts are loopback", all(line[0].startswith(("127.", "::1", "fe00", "ff0")) for line in hosts), hosts)
import socket
works("localhost is known", lambda: socket.gethostbyname("localhost").startswith("127."))
