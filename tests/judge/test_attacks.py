"""No attack comes through bubblewrap."""

from judge.night import Morning


class TestBubblewrap(Morning):
    """The level that is used wherever it can be."""

    level = "bubblewrap"
