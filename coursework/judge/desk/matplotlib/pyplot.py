"""Stand in for matplotlib.pyplot."""

import numpy as np

from matplotlib import Nothing


def subplots(nrows=1, ncols=1, *values, squeeze=True, **options):
    """Return a figure and as many axes as were asked for, none of them drawn."""
    axes = np.empty((nrows, ncols), dtype=object)
    axes[:] = Nothing()
    if not squeeze:
        return Nothing(), axes
    return Nothing(), axes.item() if axes.size == 1 else axes.squeeze()


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    return Nothing()
