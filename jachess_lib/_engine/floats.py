"""What floating-point numbers need to have said once."""

import numpy as np

# What is smaller than any number is 0 here, whatever the caller's `np.errstate` says.
underflows = np.errstate(under="ignore")


def wide(dtype):
    """Return the dtype for sums over patterns: double precision, at least.

    Millions of numbers of single precision add up to a sum that ignores the next.
    """
    return np.result_type(dtype, np.float64)
