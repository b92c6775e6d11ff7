# SPDX-License-Identifier: MIT
# Put before every script here. A script tries forbidden acts and their innocent twins and prints a line
# for each: "ok NAME" when the sandbox did what it promises, "BAD NAME: what happened" when not.
import ctypes
import errno
import os
import sys

libc = ctypes.CDLL(None, use_errno=True)


def say(name, good, detail=""):
    print("ok" if good else "BAD", name + ("" if good else ": " + str(detail)), flush=True)


def refused(name, act, allowed=()):
    """The act must raise an OSError, one of the allowed ones where they are named."""
    try:
        result = act()
    except OSError as error:
        say(name, not allowed or error.errno in allowed, error)
    except Exception as error:  # any other end is as good as a refusal only if nothing happened
        say(name, False, repr(error))
    else:
        say(name, False, f"was allowed: {result!r}"[:200])


def works(name, act):
    try:
        result = act()
        say(name, result is not False, result)
    except Exception as error:
        say(name, False, repr(error))


def syscall(number, *arguments):
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(a) if isinstance(a, int) else a for a in arguments])
    return result, ctypes.get_errno()


def put(path, content):
    """One unbuffered write(2), so that a refusal is seen here."""
    fd = os.open(path, os.O_WRONLY)
    try:
        return os.write(fd, content)
    finally:
        os.close(fd)


def read(path):
    with open(path, "rb") as file:
        return file.read()
