# ESC-07: what ordinary programs need keeps working.
import asyncio, fcntl, mmap, multiprocessing, select, signal, socket, subprocess, tempfile, threading, time

works("threads", lambda: [t.start() or t.join() for t in [threading.Thread(target=time.time) for _ in range(8)]] is not None)
works("subprocess", lambda: subprocess.check_output(["echo", "x"]) == b"x\n")
works("asyncio", lambda: asyncio.run(asyncio.sleep(0, True)))
works("multiprocessing", lambda: multiprocessing.get_context("fork").Pool(2).map(abs, [-1, -2]) == [1, 2])
works("memfd_create", lambda: os.memfd_create("m") > 0)
works("getrandom", lambda: len(os.getrandom(16)) == 16)
works("inotify", lambda: libc.inotify_init1(0) > 0)
works("eventfd", lambda: os.eventfd(0) > 0)
works("splice and pipe", lambda: os.splice(os.open("/etc/passwd", 0), os.pipe()[1], 10) == 10)
works("sendfile", lambda: os.sendfile(os.open("/sandbox/copy", os.O_RDWR | os.O_CREAT), os.open("/etc/passwd", 0), 0, 10) == 10)
works("flock", lambda: fcntl.flock(os.open("/sandbox/lock", os.O_RDWR | os.O_CREAT), fcntl.LOCK_EX) is None)
works("mlock", lambda: libc.mlock(ctypes.create_string_buffer(4096), 4096) in (0, -1))
works("membarrier", lambda: syscall(324, 0, 0, 0)[0] >= 0)
works("close_range", lambda: syscall(436, 900, 1000, 0)[0] == 0)
works("faccessat2", lambda: syscall(439, -100, b"/sandbox", 0, 0)[0] == 0)
for name, number in (("epoll_pwait2", 441), ("futex_waitv", 449), ("rseq", 334)):  # Older kernels: ENOSYS.
    error = syscall(number, 0, 0, 0, 0, 0)[1]
    say(name, error != errno.EPERM, error)
works("statx", lambda: os.stat("/sandbox").st_uid == 100)
works("mkfifo", lambda: os.mkfifo("/sandbox/fifo") is None)
works("timer", lambda: signal.setitimer(signal.ITIMER_REAL, 100) == (0.0, 0.0) and signal.alarm(0) is not None)
works("unix socket pair", lambda: socket.socketpair()[0] is not None)
works("localhost", lambda: socket.getaddrinfo("localhost", 80) != [])


def loopback():
    server = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(server.getsockname())
    peer, _ = server.accept()
    client.sendall(b"x")
    return peer.recv(1) == b"x"


works("loopback", loopback)
works("shared memory", lambda: mmap.mmap(-1, 1 << 20) is not None)
works("/dev/shm", lambda: open("/dev/shm/x", "wb").write(b"x") == 1)
works("/tmp", lambda: tempfile.NamedTemporaryFile().write(b"x") == 1)
works("/dev/null, zero, urandom", lambda: open("/dev/null", "wb").write(b"x") == 1 and len(open("/dev/zero", "rb").read(9)) == 9 and len(open("/dev/urandom", "rb").read(9)) == 9)
works("/dev/stdout again", lambda: open("/dev/stdout", "w").write("") == 0)
works("a program below /sandbox", lambda: open("/sandbox/p", "w").write("#!/bin/sh\nexit 7\n") and os.chmod("/sandbox/p", 0o755) is None and subprocess.call(["/sandbox/p"]) == 7)
