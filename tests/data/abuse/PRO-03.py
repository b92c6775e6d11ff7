# The guest's memory.
for request in (16, 0x4206):  # PTRACE_ATTACH, PTRACE_SEIZE
    result, error = syscall(101, request, 1, 0, 0)
    say(f"ptrace {request}", result == -1 and error in (errno.EPERM, errno.ENOSYS), (result, error))
refused("/proc/1/mem", lambda: open("/proc/1/mem", "r+b"))
buffer = ctypes.create_string_buffer(16)
vector = (ctypes.c_void_p * 2)(ctypes.addressof(buffer), 16)
for number, name in ((310, "process_vm_readv"), (311, "process_vm_writev")):
    result, error = syscall(number, 1, ctypes.addressof(vector), 1, ctypes.addressof(vector), 1, 0)
    say(name, result == -1 and error in (errno.EPERM, errno.ENOSYS), (result, error))
result, error = syscall(434, 1, 0)  # pidfd_open
if result >= 0:
    stolen, error = syscall(438, result, 0, 0)  # pidfd_getfd
    say("pidfd_getfd", stolen == -1 and error in (errno.EPERM, errno.ENOSYS), error)
    sent, error = syscall(424, result, 9, 0, 0)  # pidfd_send_signal
    say("pidfd_send_signal", sent == -1 and error == errno.EPERM, error)
    advised, error = syscall(440, result, ctypes.addressof(vector), 1, 20, 0)  # process_madvise
    say("process_madvise", advised == -1 and error in (errno.EPERM, errno.ENOSYS), error)
say("its own memory", ctypes.string_at(ctypes.addressof(buffer), 4) == b"\0" * 4)
