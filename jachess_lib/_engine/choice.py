"""Which engine computes: the caller's choice, and what a call has taken.

- `"plain"` runs the bodies that the chapters show, whole batches at a time;
- `"blocked"` computes the same with NumPy alone, a few patterns and one tile of the
  result at a time;
- `"compiled"` runs Numba's code where there is some, and else the blocked one;
- `"auto"` takes the compiled one where Numba is installed.

They answer alike to rounding.
"""

import os
import warnings
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib.util import find_spec

ENGINES = ("plain", "blocked", "compiled", "auto")

_chosen = ContextVar("chosen", default=None)
_used = ContextVar("used", default=None)
# Whether a lesson or the engine is at work: what they call is not for a caller.
within = ContextVar("within", default=False)


@contextmanager
def engine(name):
    """Let the engine of this name compute, as long as the block lasts.

    Parameters
    ----------
    name : {"plain", "blocked", "compiled", "auto"}
        "plain" runs what the chapters show, "blocked" is fast with NumPy alone,
        "compiled" needs Numba, and "auto" takes what there is. The environment variable
        JACHESS_ENGINE chooses for a whole process.

    Raises
    ------
    ValueError
        If there is no engine of this name.
    ImportError
        If "compiled" is asked for and Numba is not installed.

    Examples
    --------
    >>> import jachess_lib as jl
    >>> net = jl.Network((1, 1), [0.0, 2.0])
    >>> with jl.engine("plain"):
    ...     J = jl.input_jacobian(net, [[1.0]])
    >>> jl.engine_used()
    'plain'
    """
    token = _chosen.set(_known(name, "engine"))
    try:
        if name == "compiled" and find_spec("numba") is None:
            raise ImportError(
                "the compiled engine needs Numba: install it with "
                'pip install "jachess-lib[fast]", or choose "blocked"'
            )
        yield
    finally:
        _chosen.reset(token)


def engine_used():
    """Return the name of the engine that the last call took, or None before any.

    Each thread has its own last call.
    """
    return _used.get()


def chosen():
    """Return the name that holds now: by `engine`, or by the environment, or "auto"."""
    return _chosen.get() or _of_environment()


def remember(name):
    """Say which engine a call took."""
    _used.set(name)


def _known(name, what):
    if name not in ENGINES:
        raise ValueError(f"{what} must be one of {', '.join(ENGINES)}, got {name!r}")
    return name


def _of_environment():
    name = os.environ.get("JACHESS_ENGINE")
    if not name:
        _look_for_old_name()
        return "auto"
    return _known(name, "JACHESS_ENGINE")


@cache
def _look_for_old_name():
    """Warn those who set what is no longer read; once, for a look takes its time."""
    if "JACHESS_COMPILED" in os.environ:
        warnings.warn(
            "JACHESS_COMPILED is no longer read: set JACHESS_ENGINE to plain, blocked, "
            "compiled or auto instead (JACHESS_COMPILED=0 was what blocked is now)",
            FutureWarning,
            stacklevel=6,
        )


def twin(name, net, *arrays, engine=None):
    """Return the compiled function of this name, or None where there is none to take.

    There is one if Numba is installed, the network has units that were compiled, and
    the arrays, X the first, have one precision and the usual layout. `engine` is the
    one that is chosen, where the caller knows.
    """
    fits = (engine or chosen()) in ("compiled", "auto")
    compiled = compiled_functions() if fits else None
    if compiled is None or not compiled.takes(name, net, arrays):
        return None
    return getattr(compiled, name)


def at_once(name, engine, given):
    """Return the compiled function, if the arguments are what the checks make of them.

    None where compiled code has not looked, or found otherwise: the checks then do.
    """
    if engine not in ("compiled", "auto"):
        return None
    compiled = compiled_functions()
    try:
        if compiled is not None and compiled.ready(name, given):
            return getattr(compiled, name)
    except Exception as error:
        _leave_out(error)
    return None


def first(compiled, blocked, *arguments, **keywords):
    """Return what the compiled function does, or the other where Numba cannot."""
    try:
        result = compiled(*arguments, **keywords)
    except Exception as error:
        # whatever Numba says: the other either has the answer, or will say what is
        # wrong with the arguments
        _leave_out(error)
        remember("blocked")
        return blocked(*arguments, **keywords)
    remember("compiled")
    return result


_broken = False


def _leave_out(error):
    """Compute without Numba from now on, and say so once."""
    global _broken
    if not _broken:
        _broken = True
        reason = (str(error).strip() or "no reason given").splitlines()[0][:200]
        warnings.warn(
            "Numba is installed but cannot compile for jachess_lib "
            f"({type(error).__name__}: {reason}); NumPy computes everything, more "
            "slowly. If it is Numba's cache, set NUMBA_CACHE_DIR to a folder that can "
            "be written to, or empty it; JACHESS_ENGINE=blocked leaves Numba out "
            "without a warning",
            RuntimeWarning,
            stacklevel=2,
        )


def compiled_functions():
    """Return the module of compiled functions, or None where it cannot be."""
    return None if _broken else _import_compiled()


@cache
def _import_compiled():
    if find_spec("numba") is None:
        return None
    try:
        import numba

        if numba.config.DISABLE_JIT:
            raise RuntimeError("NUMBA_DISABLE_JIT is set")
        import jachess_lib._engine.compiled as compiled
    except Exception as error:  # one that does not know this NumPy, cannot write, …
        _leave_out(error)
        return None
    return compiled
