"""Attacks on the machine: exits, loops, memory, rights, and what can be read."""

from judge.attack import FOUND, Attack, attack, function, watched
from judge.notebooks import RIGHT, STUB, honest, notebook

EXITS = {
    "exit-system": function("leave by SystemExit", "sys.exit(0)"),
    "exit-quit": attack("leave the cell and the notebook", "raise SystemExit(0)"),
    "exit-os": function("leave at once", "os._exit(0)", shows="ended before"),
    "exit-first": Attack(
        "leave in the first cell; the rest is honest",
        notebook("import os\nos._exit(0)", *honest()),
        points=10,
    ),
    "exit-kill": function("kill itself", "os.kill(os.getpid(), 9)"),
    "exit-abort": function("abort", "os.abort()", shows="ended before"),
    "exit-segfault": function(
        "read from nowhere", "import ctypes\nctypes.string_at(1)"
    ),
    "exit-stack": function(
        "exhaust the stack",
        "sys.setrecursionlimit(10**9)\ndef f(): return f()\nreturn f()",
    ),
    "exit-exec": function(
        "become another program",
        "os.execv('/python/bin/python3', ['python3', '-c', 'while True: pass'])",
    ),
    "exit-one": Attack(
        "leave in one function; the rest is honest",
        notebook(*honest(jacobian="import os\ndef jacobian(W, x): os._exit(0)")),
        points=6,
    ),
}

SWALLOW = """
while True:
    try:
        while True: time.sleep(0.01)
    except BaseException: pass
"""
LOOPING = "".join(f"def {name}(*a):\n    while True: pass\n" for name in RIGHT)
LOOPS = {
    "loop-swallow": function("loop and swallow every exception", SWALLOW),
    "loop-c": function("loop where no signal is heard", "return sum(range(10**12))"),
    "loop-cells": Attack(
        "loop in three cells; the rest is honest",
        notebook(*["while True: pass"] * 3, *honest(), "while True: pass"),
        points=10,
        shows="it took too long",
    ),
    "loop-one": Attack(
        "loop in one function; the rest is honest",
        notebook(*honest(forward="def forward(W, X):\n    while True: pass")),
        points=7,
        shows="it took too long",
    ),
    "loop-all": Attack(
        "loop in every cell and every function",
        notebook(*["while True: pass"] * 5, *honest(**dict.fromkeys(RIGHT, LOOPING))),
    ),
    "loop-bomb": attack(
        "loop after a while",
        "import signal\n"
        "def bomb(*a):\n"
        "    while True: pass\n"
        "signal.signal(signal.SIGALRM, bomb)\n"
        "signal.setitimer(signal.ITIMER_REAL, 0.01)",
    ),
    "loop-trace": attack(
        "loop whenever a function is called",
        "import sys\ndef trace(*a):\n    while True: pass\nsys.setprofile(trace)",
    ),
    "stop-self": function("stop itself", "os.kill(os.getpid(), 19)"),
    "stop-all": function("stop everyone", "os.kill(-1, 19)\nos.kill(1, 19)"),
    "kill-all": function("kill everyone", "os.kill(1, 9)\nos.kill(-1, 9)\nreturn 0"),
    "kill-parent": attack(
        "kill the judge",
        "import os\n"
        "found = []\n"
        "for pid in [os.getppid(), *range(2, 40_000)]:\n"
        "    if pid not in (1, os.getpid()):\n"  # 1 is of the sandbox, and mute
        "        try: os.kill(pid, 15); found.append(pid)\n"
        "        except OSError: pass\n"
        "raise Exception(f'found {found}')",
        finds="found []",
    ),
}

RESOURCES = {
    "many-forks": attack(
        "fork without end",
        "import os\n"
        "while True:\n"
        "    try: os.fork()\n"
        "    except OSError: raise Exception('no fork')",
        finds="no fork",
    ),
    "many-daemons": attack(
        "leave a process behind",
        "import os, sys, time\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    if os.fork() == 0:\n"
        "        while True: time.sleep(1)",
        finds="PermissionError",
    ),
    "many-threads": attack(
        "start threads without end",
        "import threading, time\n"
        "while True: threading.Thread(target=time.sleep, args=(60,)).start()",
        finds="can't start new thread",
    ),
    "many-programs": attack(
        "start another program",
        "import subprocess\n"
        "subprocess.Popen(['/python/bin/python3', '-c', 'while True: pass'])",
        finds="PermissionError",
    ),
    "fill-memory": attack(
        "fill the memory",
        "def forward(W, X):\n"
        "    kept = []\n"
        "    while True: kept.append(np.empty(1 << 24))",
        shows="stopped: the memory or the stack is full",
    ),
    "fill-shared": attack(
        "fill memory that no limit counts",
        "import ctypes\n"
        "libc = ctypes.CDLL(None)\n"
        "raise Exception(f'got {libc.shmget(0, 1 << 30, 0o1600)}')",
        finds="got -1",
    ),
    "fill-disk": attack(
        "fill the disk",
        "import os\n"
        "found = []\n"
        "for top, folders, files in os.walk('/'):\n"
        "    for make in (os.mkdir, lambda path: open(path, 'wb')):\n"
        "        try: make(top + '/new'); found.append(top)\n"
        "        except OSError: pass\n"
        "raise Exception(f'found {found}')",
        finds="found []",
    ),
    "fill-descriptors": attack(
        "open files without end",
        "kept = []\nwhile True: kept.append(open('/dev/null'))",
        finds="Too many open files",
    ),
    "fill-core": attack(
        "leave a core of the judge's memory",
        "import resource\n"
        "try: resource.setrlimit(resource.RLIMIT_CORE, (-1, -1))\n"
        "except ValueError: raise Exception('no core')",
        finds="no core",
    ),
    "more-rights": attack(
        "become root, or get a network and mounts of its own",
        "import ctypes, os\n"
        "libc, found = ctypes.CDLL(None, use_errno=True), []\n"
        "for name, call in {\n"
        "    'setuid': lambda: os.setuid(0), 'chroot': lambda: os.chroot('/tmp'),\n"
        "}.items():\n"
        "    try: call(); found.append(name)\n"
        "    except OSError: pass\n"
        "for flag in (0x10000000, 0x40000000, 0x20000, 0x20000000):\n"
        "    if libc.unshare(flag) == 0: found.append(hex(flag))\n"
        "if libc.mount(b'/tmp', b'/tmp', None, 4096, 0) == 0: found.append('mount')\n"
        "if libc.ptrace(16, 1, 0, 0) == 0: found.append('ptrace')\n"
        "raise Exception(f'found {found}')",
        finds="found []",
    ),
}

WALK = """
import os
found = []
for top, folders, files in os.walk("/"):
    folders[:] = [f for f in folders if top + f not in ("/python", "/numpy")]
    for name in files:
        path = os.path.join(top, name)
        if name.endswith((".key", ".ipynb", ".csv", ".jsonl", "passwd", "shadow")):
            found.append(path)
raise Exception(f"found {[os.path.basename(p) for p in found]}")
"""
READS = {
    "read-files": attack(
        "find the seed, the passwords and the others' work",
        WALK,
        finds="found ['toy_data.csv']",
    ),
    "read-seed": Attack(
        "read the seed by its path",
        lambda path: path.write_bytes(
            notebook(
                *STUB,
                watched(
                    f"seed = {str(path.parents[1] / 'term.key')!r}\n"
                    "import os\n"
                    "raise Exception(f'there {os.path.exists(seed)}')",
                    "there False",
                ),
            )
        ),
        shows=FOUND,
    ),
    "read-environment": attack(
        "read the judge's environment",
        "import os\nraise Exception(sorted(os.environ))",
        finds="OPENBLAS_NUM_THREADS",
    ),
    "read-proc": attack(
        "read what the machine tells of itself",
        "import os\n"
        "places = ('/proc', '/sys', '/root', '/home', '/etc', '/var', '/run')\n"
        "raise Exception(f'there {[p for p in places if os.path.exists(p)]}')",
        finds="there []",
    ),
    "read-descriptors": attack(
        "read what the judge has open",
        "import os\n"
        "found = []\n"
        "for d in range(1024):\n"
        "    try: found.append((d, os.fstat(d).st_mode >> 12))\n"
        "    except OSError: pass\n"
        "raise Exception(f'pipes {sum(m == 1 for _, m in found)}, '\n"
        "    f'others {[d for d, m in found if m != 1 and d > 2]}')",
        finds="pipes 2, others []",
    ),
    "read-network": attack(
        "call home",
        "import socket\n"
        "socket.create_connection(('127.0.0.1', PORT), timeout=1).send(b'inputs')",
        finds="PermissionError",
    ),
}
