# Devices: none but the harmless ones is there, and none can be made.
for path in ("mem", "kmem", "port", "kvm", "fuse", "loop-control", "loop0", "net/tun", "vhost-net", "uinput", "sda", "vda", "nvme0n1", "dm-0",
             "dri/card0", "snd/timer", "hwrng", "kmsg", "mapper/control"):
    refused("/dev/" + path, lambda: os.open("/dev/" + path, os.O_RDONLY))
for folder in ("/sandbox", "/tmp", "/dev/shm"):
    refused("block device in " + folder, lambda: os.mknod(folder + "/sda", 0o60666, os.makedev(8, 0)))
    refused("character device in " + folder, lambda: os.mknod(folder + "/mem", 0o20666, os.makedev(1, 1)))
works("/dev/null", lambda: open("/dev/null", "wb").write(b"x") == 1)
works("/dev/urandom", lambda: len(read("/dev/urandom") if False else open("/dev/urandom", "rb").read(8)) == 8)
