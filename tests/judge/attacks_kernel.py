"""Attacks on the kernel's side doors: processes, locks, caches, its own memory."""

from judge.attack import attack, function

# The name of a call, and its number on x86_64 and on aarch64.
WITHHELD = {
    "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "move_pages": (279, 239), "migrate_pages": (256, 238),
    "process_madvise": (440, 440), "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438), "pidfd_send_signal": (424, 424),
    "ptrace": (101, 117), "kcmp": (312, 272), "prlimit64": (302, 261),
    "setrlimit": (160, 164), "kill": (62, 129), "tkill": (200, 130),
    "rt_sigqueueinfo": (129, 138), "clone": (56, 220), "clone3": (435, 435),
    "execve": (59, 221), "execveat": (322, 281), "unshare": (272, 97),
    "setns": (308, 268), "mount": (165, 40), "pivot_root": (155, 41),
    "io_setup": (206, 0), "io_uring_setup": (425, 425), "flock": (73, 32),
    "fadvise64": (221, 223), "readahead": (187, 213), "preadv2": (327, 286),
    "mincore": (27, 232), "cachestat": (451, 451), "msync": (26, 227),
    "msgget": (68, 186), "msgsnd": (69, 189), "shmget": (29, 194), "semget": (64, 190),
    "mq_open": (240, 180), "adjtimex": (159, 171), "clock_adjtime": (305, 266),
    "clock_settime": (227, 112), "personality": (135, 92), "memfd_create": (319, 279),
    "memfd_secret": (447, 447), "fanotify_init": (300, 262), "inotify_init1": (294, 26),
    "landlock_create_ruleset": (444, 444), "modify_ldt": (154, None),
    "userfaultfd": (323, 282), "perf_event_open": (298, 241), "bpf": (321, 280),
    "keyctl": (250, 219), "add_key": (248, 217), "socket": (41, 198),
    "socketpair": (53, 199), "pipe2": (293, 59), "eventfd2": (290, 19),
    "timer_create": (222, 107), "timerfd_create": (283, 85), "splice": (275, 76),
    "vmsplice": (278, 75), "mlock": (149, 228), "mlock2": (325, 284),
    "set_mempolicy": (238, 237), "sysinfo": (99, 179), "syslog": (103, 116),
    "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265),
    "mkdirat": (258, 34), "mknodat": (259, 33), "symlinkat": (266, 36),
    "linkat": (265, 37), "utimensat": (280, 88), "fchmod": (91, 52),
    "setpriority": (141, 140), "sched_setaffinity": (203, 122),
    "sched_setattr": (314, 274), "ioprio_set": (251, 30), "seccomp": (317, 277),
    "prctl": (157, 167), "getpgid": (121, 155), "membarrier": (324, 283),
    "open_tree": (428, 428), "fsopen": (430, 430), "openat2": (437, 437),
    "rseq_slice_yield": (471, 471), "a call of the next kernel": (499, 499),
}  # fmt: skip
CALLS = f"""
import ctypes, os, platform
libc, found = ctypes.CDLL(None, use_errno=True), []
column = {{"x86_64": 0, "aarch64": 1}}[platform.machine()]
for name, pair in {WITHHELD!r}.items():
    if pair[column] is None: continue
    ctypes.set_errno(0)
    if libc.syscall(pair[column], 1, 0, 0, 0, 0, 0) != -1 or ctypes.get_errno() != 1:
        found.append(name)
raise Exception(f"found {{found}}")
"""
OPEN = "import os\nfile = os.open('/desk/worker.py', os.O_RDONLY)\nfound = []\n"
TRY = """
for name, call in calls.items():
    try:
        call()
        found.append(name)
    except PermissionError: pass
raise Exception(f"found {found}")
"""
SIDE_DOORS = {
    "call-withheld": attack("call what no notebook needs", CALLS, finds="found []"),
    "call-pid-one": attack(
        "write into the memory of the sandbox's first process",
        "import ctypes, os\n"
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        "class Piece(ctypes.Structure):\n"
        "    _fields_ = [('base', ctypes.c_void_p), ('size', ctypes.c_size_t)]\n"
        "text = ctypes.create_string_buffer(8)\n"
        "piece = Piece(ctypes.addressof(text), 8)\n"
        "done = libc.process_vm_writev(1, ctypes.byref(piece), 1,\n"
        "    ctypes.byref(Piece(4096, 8)), 1, 0)\n"
        "raise Exception(f'got {done}, {os.strerror(ctypes.get_errno())}')",
        finds="got -1, Operation not permitted",
    ),
    "call-shared-locks": attack(
        "signal to a neighbour by a lock on a file that both see",
        OPEN + "import fcntl, signal, struct\n"
        "lock = struct.pack('hhqqi', fcntl.F_RDLCK, 0, 0, 1, 0)\n"
        "calls = {\n"
        "    'flock': lambda: fcntl.flock(file, fcntl.LOCK_SH),\n"
        "    'setlk': lambda: fcntl.fcntl(file, fcntl.F_SETLK, lock),\n"
        "    'getlk': lambda: fcntl.fcntl(file, fcntl.F_GETLK, lock),\n"
        "    'ofd': lambda: fcntl.fcntl(file, 37, lock),\n"
        "    'lease': lambda: fcntl.fcntl(file, fcntl.F_GETLEASE),\n"
        "    'notify': lambda: fcntl.fcntl(os.open('/desk', 0), fcntl.F_NOTIFY, 1),\n"
        "    'hint': lambda: fcntl.fcntl(file, 1035, bytes(8)),\n"
        "}\n" + TRY,
        finds="found []",
    ),
    "call-shared-futex": attack(
        "wake a neighbour by a page of a file that both have mapped",
        OPEN + "import ctypes, mmap, platform\n"
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        "libc.mmap.restype = ctypes.c_void_p\n"
        "page = libc.mmap(None, 4096, mmap.PROT_READ, mmap.MAP_SHARED, file, 0)\n"
        "number = {'x86_64': 202, 'aarch64': 98}[platform.machine()]\n"
        "done = libc.syscall(number, ctypes.c_void_p(page), 1, 1, None, None, 0)\n"
        "raise Exception(f'mapped {page not in (None, 2**64 - 1)}, woke {done}')",
        finds="mapped True, woke -1",
    ),
    "call-page-cache": attack(
        "put pages of a shared file out of the cache, and see which are in",
        OPEN + "import mmap\n"
        "page = mmap.mmap(file, 0, access=mmap.ACCESS_READ)\n"
        "calls = {\n"
        "    'fadvise': lambda: os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED),\n"
        "    'nowait': lambda: os.preadv(file, [bytearray(9)], 0, os.RWF_NOWAIT),\n"
        "    'cold': lambda: page.madvise(20),\n"
        "    'pageout': lambda: page.madvise(21),\n"
        "    'willneed': lambda: page.madvise(mmap.MADV_WILLNEED),\n"
        "}\n" + TRY,
        finds="found []",
    ),
    "call-other-clocks": attack(
        "read how long the judge has computed",
        "import os, time\n"
        "found = []\n"
        "for pid in range(1, 5_000):\n"
        "    try: time.clock_gettime(~pid << 3 | 2); found.append(pid)\n"
        "    except OSError: pass\n"
        "raise Exception(f'found {found}')",
        finds="found []",
    ),
    "fill-inodes": attack(
        "fill the kernel's memory with empty files",
        "made = 0\n"
        "for n in range(100_000):\n"
        "    try: open(f'/tmp/{n}', 'x').close(); made += 1\n"
        "    except OSError: break\n"
        "raise Exception(f'made {made}')",
        finds="made 0",
    ),
    "error-choice": function(
        "carry the inputs out in which of many errors it stops with",
        "import builtins\n"
        "kinds = sorted(n for n, v in vars(builtins).items()\n"
        "    if isinstance(v, type) and issubclass(v, Exception))\n"
        "raise getattr(builtins, kinds[kinds.index('KeyError')])",
        shows="stopped: a value, a shape or an index does not fit",
    ),
    "error-cells": attack(
        "carry out what a thousand cells have found",
        *["raise KeyError"] * 300,
        *["raise TypeError"] * 300,
        shows="a value, a shape or an index does not fit",
    ),
}
