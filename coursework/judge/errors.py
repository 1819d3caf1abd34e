"""A handful of words for all errors that a submission may stop with.

A page says which, and no more: by the name or the text of an error a submission could
send out what it was asked, or what it has found out about its neighbour.
"""

import builtins

CLASSES = {
    "a name, an attribute or a module is not there": (
        NameError, AttributeError, ImportError,
    ),
    "the syntax is wrong": (SyntaxError,),
    "a value has the wrong type": (TypeError,),
    "a value, a shape or an index does not fit": (ValueError, LookupError),
    "the arithmetic fails": (ArithmeticError,),
    "the memory or the stack is full": (MemoryError, RecursionError),
    "there is no such file or right here": (OSError,),
}  # fmt: skip
OTHER = "with an error of another kind"
WORDS = (*CLASSES, OTHER)


def _class(error):
    return next((words for words, k in CLASSES.items() if issubclass(error, k)), OTHER)


BY_NAME = {
    name: _class(value)
    for name, value in vars(builtins).items()
    if isinstance(value, type) and issubclass(value, BaseException)
} | dict.fromkeys(("LinAlgError", "AxisError"), _class(ValueError))


def words(name):
    """Return the words for an error by its name, which may be anything at all."""
    return BY_NAME.get(name, OTHER) if isinstance(name, str) else OTHER
