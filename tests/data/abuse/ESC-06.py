# ESC-06: calls that must fail. Arguments are such that an allowed call would show another error or none.
table = {
    "acct": 163, "add_key": 248, "adjtimex": 159, "bpf": 321, "chroot": 161, "clock_adjtime": 305,
    "clock_settime": 227, "delete_module": 176, "fanotify_init": 300, "finit_module": 313, "fsconfig": 431,
    "fsmount": 432, "fsopen": 430, "fspick": 433, "init_module": 175, "io_uring_enter": 426,
    "io_uring_register": 427, "io_uring_setup": 425, "ioperm": 173, "iopl": 172, "kcmp": 312,
    "kexec_file_load": 320, "kexec_load": 246, "keyctl": 250, "lookup_dcookie": 212, "modify_ldt": 154,
    "mount": 165, "mount_setattr": 442, "move_mount": 429, "nfsservctl": 180, "open_by_handle_at": 304,
    "open_tree": 428, "perf_event_open": 298, "pidfd_getfd": 438, "pivot_root": 155, "process_madvise": 440,
    "process_vm_readv": 310, "process_vm_writev": 311, "quotactl": 179, "quotactl_fd": 443,
    "reboot": 169, "request_key": 249, "setdomainname": 171, "sethostname": 170, "setns": 308,
    "settimeofday": 164, "swapoff": 168, "swapon": 167, "sysfs": 139, "syslog": 103, "umount2": 166,
    "unshare": 272, "uselib": 134, "userfaultfd": 323, "ustat": 136, "vhangup": 153,
}
for name, number in sorted(table.items()):
    result, error = syscall(number, 0, 0, 0, 0, 0, 0)
    say(name, result == -1 and error in (errno.EPERM, errno.ENOSYS), (result, error))
for request in (0, 16, 0x4206) if os.getuid() else (16, 0x4206):  # PTRACE_TRACEME, ATTACH, SEIZE
    result, error = syscall(101, request, 1, 0, 0)
    say(f"ptrace {request:#x}", result == -1 and error in (errno.EPERM, errno.ENOSYS), (result, error))
result, error = syscall(135, 0x0040000)  # ADDR_NO_RANDOMIZE
say("personality", result == -1 and error in (errno.EPERM, errno.ENOSYS), (result, error))
result, error = syscall(56, 0x10000000 | 17, 0, 0, 0, 0)  # clone with CLONE_NEWUSER
if result == 0:
    os._exit(0)
say("clone with a new user namespace", result == -1 and error in (errno.EPERM, errno.ENOSYS), (result, error))
refused("mknod of a device", lambda: os.mknod("/sandbox/sda", 0o60666, os.makedev(8, 0)))
import socket
for family in (16, 17, 38, 40, 30, 29):  # netlink, packet, ALG, vsock, TIPC, CAN
    refused(f"socket family {family}", lambda: socket.socket(family, socket.SOCK_DGRAM), (errno.EPERM, errno.EAFNOSUPPORT, errno.ENOSYS))
refused("raw socket", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1), (errno.EPERM, errno.EACCES))
result, error = syscall(999999)
say("unknown number is ENOSYS", result == -1 and error == errno.ENOSYS, (result, error))
