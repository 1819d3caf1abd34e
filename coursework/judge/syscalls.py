"""A filter of system calls: what a notebook never needs is refused.

The worker puts itself under it before it runs a cell. It closes the network, bounds the
memory that limits do not count (System V shared memory, for one), and keeps a
submission away from the kernel's less trodden corners.
"""

import errno
import platform
import struct

ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
COLUMN = {"x86_64": 0, "aarch64": 1}
# Linux: the name, and its number on x86_64 and on aarch64.
REFUSED = {
    "shmget": (29, 194), "shmat": (30, 196), "semget": (64, 190), "msgget": (68, 186),
    "socket": (41, 198), "socketpair": (53, 199), "ptrace": (101, 117),
    "mount": (165, 40), "unshare": (272, 97), "setns": (308, 268),
    "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
    "perf_event_open": (298, 241), "bpf": (321, 280), "userfaultfd": (323, 282),
    "process_vm_readv": (310, 270), "memfd_create": (319, 279),
    "io_uring_setup": (425, 425), "open_by_handle_at": (304, 265),
    "execve": (59, 221), "execveat": (322, 281),
}  # fmt: skip
LOAD, EQUAL, AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06
ALLOW, REFUSE, KILL = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x80000000
X32 = 0x40000000  # a second numbering of x86_64, which would pass the filter by


def program(machine=None):
    """Return the filter for a machine as bytes of classic BPF, empty if unknown."""
    machine = machine or platform.machine()
    if machine not in ARCHITECTURES:
        return b""
    numbers = [pair[COLUMN[machine]] for pair in REFUSED.values()]
    last = len(numbers) + 1
    steps = [
        (LOAD, 0, 0, 4),
        (EQUAL, 1, 0, ARCHITECTURES[machine]),
        (RETURN, 0, 0, KILL),
    ]
    steps += [(LOAD, 0, 0, 0), (AT_LEAST, last, 0, X32)]
    for place, number in enumerate(numbers):
        steps.append((EQUAL, last - 1 - place, 0, number))
    steps += [(RETURN, 0, 0, ALLOW), (RETURN, 0, 0, REFUSE)]
    return b"".join(struct.pack("=HBBI", *step) for step in steps)
