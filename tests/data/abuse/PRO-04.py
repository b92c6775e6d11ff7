# Signals to the guest.
import signal, subprocess

for number in range(1, 65):
    if number in (32, 33):  # the C library's own
        continue
    refused(f"signal {number} to process 1", lambda: os.kill(1, number), (errno.EPERM,))
for name, arguments in (("tgkill", (234, 1, 1, 9)), ("tkill", (200, 1, 9)), ("rt_sigqueueinfo", (129, 1, 9, ctypes.addressof(ctypes.create_string_buffer(128))))):
    result, error = syscall(*arguments)
    say(name, result == -1 and error in (errno.EPERM, errno.ENOSYS), (result, error))
# To everybody: the guest is not among them, whoever may be signalled is this program's own.
child = subprocess.Popen(["sleep", "1000"], start_new_session=True)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
works("signal to everybody", lambda: os.kill(-1, signal.SIGTERM) is None)
say("a child of its own ends", child.wait() == -15)
