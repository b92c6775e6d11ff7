# No way to a daemon, and nothing of the host's environment.
import socket, stat

listed = [line.split()[-1] for line in read("/proc/net/unix").decode().splitlines()[1:] if len(line.split()) > 7]
say("no sockets of others", not listed, listed)
found = []
for root, _, names in os.walk("/"):
    if root.startswith(("/proc", "/sys")):
        continue
    for name in names:
        try:
            if stat.S_ISSOCK(os.lstat(os.path.join(root, name)).st_mode):
                found.append(os.path.join(root, name))
        except OSError:
            pass
say("no sockets in the file system", not found, found)
say("no docker.sock", not os.path.exists("/var/run/docker.sock") and not os.path.exists("/run/docker.sock"))
strange = [name for name in os.environ if name.startswith(("DOCKER", "AWS", "GOOGLE", "AZURE", "ISOL8_C", "SSH", "XDG", "LISTEN_", "NOTIFY_"))]
say("no variables of the host", not strange, strange)
say("no canary", not any("canary" in value for value in os.environ.values()), os.environ)
works("a socket of its own", lambda: socket.socket(socket.AF_UNIX).bind("/sandbox/socket") is None)
