"""Stand in for the self-check: accept every call and say nothing."""


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    return lambda *values, **options: None
