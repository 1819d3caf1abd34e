"""Stand in for what draws, shows, fetches or starts threads: it is not there for marks.

Whatever is asked of a stand-in is answered with `Nothing`, so that a cell with a plot,
a table or a progress bar runs on to what it defines.
"""

import opcode
import sys
from concurrent.futures import _base
from importlib.machinery import ModuleSpec

import numpy as np

NAMES = (
    "matplotlib", "mpl_toolkits", "seaborn", "plotly", "IPython", "ipywidgets",
    "google", "pandas", "tqdm", "concurrent.futures.thread",
    "concurrent.futures.process", "multiprocessing",
)  # fmt: skip
UNPACK, UNPACK_STARRED, MORE = (
    opcode.opmap[name] for name in ("UNPACK_SEQUENCE", "UNPACK_EX", "EXTENDED_ARG")
)


class Nothing:
    """A figure, a line, a limit or a colour that is not drawn."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *values, **options):
        """Return itself, whatever is asked."""
        return self

    def __getitem__(self, key):
        return self

    def __setitem__(self, key, value):
        pass

    def __iter__(self):
        # `n, bins, patches = plt.hist(x)` wants three, a loop over lines at least one.
        return iter([self] * _asked_for(sys._getframe(1)))

    def __enter__(self):
        return self

    def __exit__(self, *reason):
        return False

    def __float__(self):
        return 0.0

    def __int__(self):
        return 0

    def __lt__(self, other):
        return False

    __le__ = __gt__ = __ge__ = __lt__


def _asked_for(frame):
    """Return how many values the line at work in a frame unpacks, at least 1."""
    code, at = frame.f_code.co_code, frame.f_lasti
    if code[at] == UNPACK_STARRED:  # `a, *b, c`: 1 before the star, 1 behind it
        behind = code[at - 1] if at and code[at - 2] == MORE else 0
        return max(code[at + 1] + behind, 1)
    return code[at + 1] if code[at] == UNPACK else 1


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul"):
    for _side in ("", "r"):
        setattr(Nothing, f"__{_side}{_name}__", lambda self, *other: self)
for _name in ("neg", "pos", "abs"):
    setattr(Nothing, f"__{_name}__", lambda self: self)


def subplots(nrows=1, ncols=1, *values, squeeze=True, **options):
    """Return a figure and as many axes as were asked for, none of them drawn."""
    axes = np.empty((nrows, ncols), dtype=object)
    axes[:] = Nothing()
    if not squeeze:
        return Nothing(), axes
    return Nothing(), axes.item() if axes.size == 1 else axes.squeeze()


def as_it_is(values=(), *others, **options):
    """Return what a progress bar is to run over."""
    return values


class AtOnce(_base.Executor):
    """A pool of workers that is the caller itself: no thread may be started."""

    def __init__(self, *values, **options):
        pass

    def submit(self, function, /, *values, **options):
        """Return a future that holds what the function returned or raised."""
        future = _base.Future()
        try:
            future.set_result(function(*values, **options))
        except Exception as error:
            future.set_exception(error)
        return future


class Pool(AtOnce):
    """A pool of `multiprocessing`, whose maps return lists."""

    def map(self, function, values, *rest):
        """Return the values of a function, one after another."""
        return [function(value) for value in values]

    imap = imap_unordered = map

    def starmap(self, function, values, *rest):
        """Return the values of a function of several arguments."""
        return [function(*value) for value in values]

    def close(self):
        """Close what was never open."""

    terminate = join = close


MEMBERS = {
    "subplots": subplots,
    "tqdm": as_it_is,
    "trange": range,
    "ThreadPoolExecutor": AtOnce,
    "ProcessPoolExecutor": AtOnce,
    "Pool": Pool,
    "ThreadPool": Pool,
    "cpu_count": lambda: 1,
}


def member(name):
    """Return what a module that stands in has under a name."""
    if name.startswith("__"):
        raise AttributeError(name)
    return MEMBERS.get(name, Nothing())


class StandIns:
    """Find the modules of `NAMES`, and all below them, each with nothing in it."""

    def find_spec(self, name, path=None, target=None):
        """Return a module for a name that has a stand-in."""
        if any(f"{name}.".startswith(f"{first}.") for first in NAMES):
            return ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        """Leave that to Python."""

    def exec_module(self, module):
        """Let a module have whatever it is asked for."""
        module.__getattr__ = member


def install():
    """Let the stand-ins take the place of the true modules, which may be there."""
    for name in list(sys.modules):
        if any(f"{name}.".startswith(f"{first}.") for first in NAMES):
            del sys.modules[name]
    sys.meta_path.insert(0, StandIns())
