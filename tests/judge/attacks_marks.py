"""Attacks on the comparison: patches, peeking, answers that lie, errors that tell."""

from judge.attack import attack, function
from judge.notebooks import RIGHT

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
        finds="found []",
    ),
    "peek-imports": attack("import what holds the answers", PEEK, finds="found []"),
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
    "answer-check": attack(
        "hand in what the public check holds",
        "\n".join(f"{name} = check.by_network" for name in RIGHT),
        shows="did not return",
    ),
    "answer-object": function(
        "return an array of objects that run code",
        "class Evil:\n"
        "    def __reduce__(self): return os.system, ('touch OWNED',)\n"
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
        "return np.nan",  # of the right shape for one of the questions
        shows="values that are not finite",
    ),
    "answer-infinite": function(
        "return infinity", "return -np.inf", shows="values that are not finite"
    ),
    "answer-overflow": function(
        "overflow the difference", "return 1.7e308", shows="but not the values"
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
        shows="stopped: a value, a shape or an index does not fit",
    ),
    "error-name": function(
        "carry the inputs out in the name of an exception",
        "raise type('SECRET' + repr(values)[:50], (Exception,), {})",
        shows="stopped: with an error of another kind",
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
