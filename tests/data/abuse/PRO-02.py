# The guest's descriptors.
for fd in range(8):
    refused(f"write to /proc/1/fd/{fd}", lambda: os.open(f"/proc/1/fd/{fd}", os.O_WRONLY))
    refused(f"read /proc/1/fd/{fd}", lambda: os.open(f"/proc/1/fd/{fd}", os.O_RDONLY))
refused("console", lambda: os.open("/dev/console", os.O_RDWR))
refused("terminal", lambda: os.open("/dev/tty", os.O_RDWR))
works("its own stdout again", lambda: open("/dev/stdout", "w").write("") == 0)
