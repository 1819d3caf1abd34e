"""`make release-check`: equal builds, and public names against the last release."""

import os
import subprocess

import pytest

from book._tools import release_check as check

BEFORE = '''"""A package."""

__all__ = ["area", "Box"]


def area(width, height=1):
    """Return the area."""
    return width * height


class Box:
    """A box."""

    def open(self):
        """Open it."""


def _private():
    """Be nobody's business."""
'''
CHANGELOG = "# Changelog\n\n## [Unreleased]\n\n{}\n\n## [0.1.0] – 2026\n\n{}\n"


def git(root, *words):
    subprocess.run(
        ["git", "-c", "user.name=T", "-c", "user.email=t@t", *words],
        cwd=root,
        check=True,
        capture_output=True,
    )


@pytest.fixture
def small(tmp_path):
    """Return a repository with one package, released as v0.1.0."""
    (tmp_path / "small").mkdir()
    (tmp_path / "small" / "__init__.py").write_text(BEFORE)
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG.format("", ""))
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "Begin")
    return tmp_path


def released(root, old, new):
    """Tag the repository, then change its package."""
    git(root, "tag", "v0.1.0")
    assert old in BEFORE
    (root / "small" / "__init__.py").write_text(BEFORE.replace(old, new))


BREAKS = {
    "a parameter is gone": ("area", "width, height=1", "width"),
    "a parameter has another name": ("area", "width,", "breadth,"),
    "a default is gone": ("area", "height=1", "height"),
    "a function has another name": ("area", "area", "surface"),
    "a method is gone": ("open", "def open", "def close"),
}


@pytest.mark.parametrize("kind", BREAKS)
def test_a_break_fails_unless_the_changelog_names_it(small, kind):
    name, old, new = BREAKS[kind]
    released(small, old, new)
    with pytest.raises(check.ReleaseError, match=name):
        check.compare(small, "small")
    line = f"- **Breaking.** `{name}` is another: do that."
    (small / "CHANGELOG.md").write_text(CHANGELOG.format("", line))
    with pytest.raises(check.ReleaseError, match=name):  # an old line is no excuse
        check.compare(small, "small")
    (small / "CHANGELOG.md").write_text(CHANGELOG.format(f"- `{name}` is faster.", ""))
    with pytest.raises(check.ReleaseError, match=name):  # nor one about another thing
        check.compare(small, "small")
    (small / "CHANGELOG.md").write_text(CHANGELOG.format(line, ""))
    check.compare(small, "small")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("height=1", "height=1, *, depth=1"),
        ("def _private", "def _other"),
        ("class Box", "class Crate:\n    '''New.'''\n\n\nclass Box"),
    ],
)
def test_what_breaks_nobody_passes(small, old, new):
    released(small, old, new)
    check.compare(small, "small")


def test_a_repository_without_a_tag_says_so(small, capsys):
    check.compare(small, "small")
    assert "No tag yet" in capsys.readouterr().out


def test_a_tree_without_history_says_so(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    check.compare(tmp_path, "small")
    assert "No tag yet" in capsys.readouterr().out


def test_two_builds_with_other_dates_and_another_umask_are_equal(tmp_path):
    first = check.build(tmp_path / "a", 1e9)
    old = os.umask(0o027)
    try:
        second = check.build(tmp_path / "b", 1.7e9)
    finally:
        os.umask(old)
    assert first == second
    assert {name.rsplit(".", 1)[-1] for name in first} == {"gz", "whl"}


def test_a_build_that_differs_is_found(monkeypatch):
    builds = iter([{"a.whl": "1", "a.tar.gz": "2"}, {"a.whl": "1", "a.tar.gz": "3"}])
    monkeypatch.setattr(check, "build", lambda *_: next(builds))
    with pytest.raises(check.ReleaseError, match="two builds differ"):
        check.build_twice()


def test_the_pins_are_the_lowest_that_the_library_promises():
    lock = (check.ROOT / "tests" / "requirements-lowest.txt").read_text("utf-8")
    pins = check.pins(lock).splitlines()
    promised = (check.ROOT / "pyproject.toml").read_text("utf-8")
    for name in ("numpy", "scipy", "threadpoolctl", "matplotlib", "numba"):
        low = promised.split(f'"{name}>=')[1].split('"')[0]
        assert any(
            p.split(" ;")[0] in (f"{name}=={low}", f"{name}=={low}.0") for p in pins
        )


def test_the_examples_of_a_package_must_run_and_be_there(small):
    run = [check.sys.executable, "-c", check.EXAMPLES, "small"]
    with pytest.raises(check.ReleaseError, match="0 examples"):
        check.output(*run, cwd=small)
    example = '"""Return the area.\n\n    >>> area(2, 3)\n    {}\n    """'
    for answer, good in (("6", True), ("7", False)):
        text = BEFORE.replace('"""Return the area."""', example.format(answer))
        (small / "small" / "__init__.py").write_text(text)
        if good:
            assert "1 examples, 0 failed" in check.output(*run, cwd=small)
        else:
            with pytest.raises(check.ReleaseError, match="1 failed"):
                check.output(*run, cwd=small)
