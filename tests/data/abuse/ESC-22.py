# Terminal injection (CVE-2017-5226, CVE-2023-28100): what is typed into the own terminal stays in the run.
import fcntl, struct, termios

say("has a terminal", os.isatty(0) and os.isatty(1))
typed = b"touch /sandbox/injected\n"
try:
    for byte in typed:
        fcntl.ioctl(0, termios.TIOCSTI, bytes([byte]))
    # Older kernels let it: then it is this program's own input, and nobody else's.
    got = os.read(0, 100)
    say("TIOCSTI reaches itself", got == typed, got)
except OSError as error:
    say("TIOCSTI", error.errno in (errno.EPERM, errno.EIO), error)
for number in (2, 3, 11):
    refused(f"TIOCLINUX {number}", lambda: fcntl.ioctl(0, 0x541C, bytes([number])))
refused("TIOCCONS", lambda: fcntl.ioctl(0, 0x541D))
refused("stealing a terminal", lambda: fcntl.ioctl(os.open("/dev/ptmx", os.O_RDWR | os.O_NOCTTY), termios.TIOCSCTTY, 1))
works("its size", lambda: struct.unpack("HHHH", fcntl.ioctl(0, termios.TIOCGWINSZ, bytes(8)))[:2] == (24, 80))
