"""No attack comes through the fallback, which only root can set up."""

import os

import pytest
from judge.night import Morning

from coursework.judge import sandbox

if os.geteuid() == 0:

    class TestSetpriv(Morning):
        """The level for containers."""

        level = "setpriv"

else:

    def test_without_root_it_is_refused(monkeypatch):
        monkeypatch.setattr(
            sandbox.shutil, "which", lambda name: name != "bwrap" or None
        )
        sandbox.level.cache_clear()
        with pytest.raises(sandbox.IsolationError, match="setpriv: it needs root"):
            sandbox.level()
        sandbox.level.cache_clear()
