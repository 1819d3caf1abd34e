"""A filter of system calls: what a notebook needs is let through, the rest is refused.

A list of what is forbidden is never whole: the kernel grows by some calls a year. So
this is a list of what Python and NumPy ask for. It closes the network, leaves no way
into another process, and bounds what limits do not count: asynchronous I/O, message
queues, locks and watches on files that all sandboxes share.
"""

import errno
import platform
import struct

ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
COLUMN = {"x86_64": 0, "aarch64": 1}
# Linux: the name, and its number on x86_64 and on aarch64.
ALLOWED = {
    # files, all of them read-only, and the two pipes
    "read": (0, 63), "write": (1, 64), "readv": (19, 65), "writev": (20, 66),
    "pread64": (17, 67), "lseek": (8, 62), "open": (2, None), "openat": (257, 56),
    "close": (3, 57), "close_range": (436, 436), "stat": (4, None), "fstat": (5, 80),
    "lstat": (6, None), "newfstatat": (262, 79), "statx": (332, 291),
    "access": (21, None), "faccessat": (269, 48), "faccessat2": (439, 439),
    "readlink": (89, None), "readlinkat": (267, 78), "getdents": (78, None),
    "getdents64": (217, 61), "getcwd": (79, 17), "chdir": (80, 49), "fchdir": (81, 50),
    "dup": (32, 23), "dup2": (33, None), "dup3": (292, 24),
    "poll": (7, None), "ppoll": (271, 73), "select": (23, None), "pselect6": (270, 72),
    # memory
    "mmap": (9, 222), "munmap": (11, 215), "mremap": (25, 216), "mprotect": (10, 226),
    "brk": (12, 214),
    # time
    "gettimeofday": (96, 169), "time": (201, None), "times": (100, 153),
    "nanosleep": (35, 101), "getrusage": (98, 165), "setitimer": (38, 103),
    "getitimer": (36, 102), "alarm": (37, None),
    # signals, to itself
    "rt_sigaction": (13, 134), "rt_sigprocmask": (14, 135), "rt_sigreturn": (15, 139),
    "rt_sigpending": (127, 136), "rt_sigtimedwait": (128, 137),
    "rt_sigsuspend": (130, 133), "sigaltstack": (131, 132), "tgkill": (234, 131),
    "pause": (34, None), "restart_syscall": (219, 128),
    # what a process may know of itself
    "exit": (60, 93), "exit_group": (231, 94), "getpid": (39, 172),
    "getppid": (110, 173), "gettid": (186, 178), "getuid": (102, 174),
    "geteuid": (107, 175), "getgid": (104, 176), "getegid": (108, 177),
    "uname": (63, 160), "getcpu": (309, 168), "sched_yield": (24, 124),
    "sched_getaffinity": (204, 123), "set_robust_list": (273, 99), "rseq": (334, 293),
    "getrandom": (318, 278),
}  # fmt: skip
CLOCKS = (0, *range(1, 10), 11)  # a clock of another process has a negative number
# The name, its numbers, which argument is looked at, and what it may be.
CHOSEN = {
    # duplicate a descriptor, read and set its flags: no locks, leases or watches
    "fcntl": (72, 25, 1, (0, 1, 2, 3, 1030)),
    # is it a terminal? and close-on-exec
    "ioctl": (16, 29, 1, (0x5401, 0x5450, 0x5451)),
    # give back or use huge pages: nothing that moves pages of a file out
    "madvise": (28, 233, 2, (0, 4, 8, 14, 15)),
    # private ones alone: two sandboxes could signal by a file that both have mapped
    "futex": (202, 98, 1, (128, 129, 131, 132, 133, 137, 138, 393)),
    "clock_gettime": (228, 113, 0, CLOCKS),
    "clock_getres": (229, 114, 0, CLOCKS),
    "clock_nanosleep": (230, 115, 0, CLOCKS),
}
# What it also takes to become the worker, before there is a student's line in it.
START = {
    "execve": (59, 221), "prctl": (157, 167), "seccomp": (317, 277),
    "prlimit64": (302, 261), "setrlimit": (160, 164), "getrlimit": (97, 163),
    "arch_prctl": (158, None), "set_tid_address": (218, 96), "sysinfo": (99, 179),
}  # fmt: skip
LOAD, EQUAL, AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06
ALLOW, REFUSE, KILL = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x80000000
X32 = 0x40000000  # a second numbering of x86_64, which would pass the filter by


def program(machine=None, more=None):
    """Return the filter for a machine as bytes of classic BPF, empty if unknown.

    `more` are calls that are let through beside `ALLOWED`.
    """
    machine = machine or platform.machine()
    if machine not in ARCHITECTURES:
        return b""
    column = COLUMN[machine]
    numbers = [pair[column] for pair in (ALLOWED | (more or {})).values()]
    steps = [("equal", n) for n in numbers if n is not None]
    for *pair, place, values in CHOSEN.values():
        steps += _chosen(pair[column], place, values)
    steps += [(RETURN, 0, 0, REFUSE), (RETURN, 0, 0, ALLOW)]
    head = [
        (LOAD, 0, 0, 4),
        (EQUAL, 1, 0, ARCHITECTURES[machine]),
        (RETURN, 0, 0, KILL),
        (LOAD, 0, 0, 0),
        (AT_LEAST, len(steps) - 2, 0, X32),
    ]
    last = len(steps) - 1
    code = [
        (EQUAL, last - place - 1, 0, step[1]) if step[0] == "equal" else step
        for place, step in enumerate(steps)
    ]
    return b"".join(struct.pack("=HBBI", *step) for step in head + code)


def _chosen(number, place, values):
    """Return the steps for a call that is let through with some arguments alone.

    ("equal", n) is a jump to the end, where all is well. The lower half of an argument
    is looked at: these are ints, and the kernel takes no more of them.
    """
    low = 16 + 8 * place
    inside = [(LOAD, 0, 0, low), *(("equal", value) for value in values)]
    return [(EQUAL, 0, len(inside) + 1, number), *inside, (RETURN, 0, 0, REFUSE)]
