"""Stand in for matplotlib: take every call of a plot and draw nothing."""


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
