"""Stand in for matplotlib: take every call of a plot and draw nothing."""

import sys
from importlib.machinery import ModuleSpec


class Nothing:
    """A figure, a line or a colour that is not drawn."""

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
        return iter([self])  # so that `line, = ax.plot(x, y)` works

    def __enter__(self):
        return self

    def __exit__(self, *reason):
        return False


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    return Nothing()


class Submodules:
    """Find `matplotlib.colors` and all the others, each with nothing in it."""

    def find_spec(self, name, path, target=None):
        """Return a module for any name below this one that is not there."""
        if name.partition(".")[0] in (__name__, "mpl_toolkits"):
            return ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        """Leave that to Python."""

    def exec_module(self, module):
        """Let a module have whatever it is asked for."""
        module.__getattr__ = __getattr__


sys.meta_path.append(Submodules())
