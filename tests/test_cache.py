"""Generated modules on disk: they are used again, and a cache that is no good changes nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import loopc
from loopc import passes
from loopc.api import cache
from support import TESTS

TEXT = "for i,j  y[i] += A[i,j] x[j]\n"
A, X = np.arange(6.0).reshape(2, 3), np.array([1.0, 2.0, 3.0])


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    place = tmp_path / "cache"
    monkeypatch.setenv(cache.FOLDER, str(place))
    cache.MEMORY.clear()
    yield place
    cache.MEMORY.clear()


def run(text: str = TEXT, **options: object) -> np.ndarray:
    return loopc.compile(text, **options)(A=A, x=X).y  # type: ignore[arg-type]


def entries(place: Path) -> list[Path]:
    return sorted(place.glob("*.py"))


def forget_how_to_compile(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("compiled again")

    monkeypatch.setattr(passes, "run", fail)


def test_a_module_is_read_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.testing.assert_array_equal(run(), A @ X)
    assert len(entries(folder)) == 1
    forget_how_to_compile(monkeypatch)
    np.testing.assert_array_equal(run(), A @ X)  # from memory
    cache.MEMORY.clear()
    np.testing.assert_array_equal(run(), A @ X)  # from disk
    with pytest.raises(AssertionError, match="compiled again"):
        run(opt=0)


def test_a_gradient_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "for i  L += sin(x[i])**2\n"
    first = loopc.compile(text).grad(x=X).x
    cache.MEMORY.clear()
    forget_how_to_compile(monkeypatch)
    np.testing.assert_array_equal(loopc.compile(text).grad(x=X).x, first)


@pytest.mark.parametrize(
    "other",
    [
        "\n" + TEXT,  # an error would name another line
        TEXT.replace("A", "B"),
        TEXT + "for i  z[i] = y[i]\n",
    ],
)
def test_another_text_is_another_entry(folder: Path, other: str) -> None:
    run()
    given = {"x": X, "A": A} if "A" in other else {"x": X, "B": A}
    loopc.compile(other)(given)
    assert len(entries(folder)) == 2


def test_other_types_and_options_are_other_entries(folder: Path) -> None:
    for number, options in enumerate(({}, {"opt": 1}, {"opt": 0}, {"threads": 1})):
        run(**options)
        assert len(entries(folder)) == number + 1
    loopc.compile(TEXT)(A=A.astype(int), x=X)
    assert len(entries(folder)) == 5


def test_other_versions_are_other_entries(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run()
    cache.MEMORY.clear()
    monkeypatch.setattr(cache, "_versions", lambda: ("other",))
    run()
    assert len(entries(folder)) == 2


def test_a_damaged_entry_is_made_anew(folder: Path) -> None:
    run()
    (entry,) = entries(folder)
    whole = entry.read_bytes()
    places = range(0, len(whole), max(1, len(whole) // 60))
    for place in places:
        flipped = whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]
        for damaged in (whole[:place], flipped):
            entry.write_bytes(damaged)
            cache.MEMORY.clear()
            np.testing.assert_array_equal(run(), A @ X)
            assert entry.read_bytes() == whole


def test_an_entry_that_does_more_than_a_module_is_made_anew(folder: Path) -> None:
    run()
    (entry,) = entries(folder)
    whole = entry.read_text()
    facts = whole.split("\n", 2)[1]
    mark = folder / "mark"
    for evil in (f"open({str(mark)!r}, 'w')", "import subprocess", "x = ().__class__.__base__"):
        body = f"{facts}\n{evil}\n"
        entry.write_text(f"{cache._head(entry.stem, body)}\n{body}")
        cache.MEMORY.clear()
        np.testing.assert_array_equal(run(), A @ X)
        assert not mark.exists()
        assert entry.read_text() == whole


def test_every_module_of_the_corpus_is_allowed() -> None:
    for path in sorted((TESTS / "corpus").glob("*.loops")):
        assert cache.is_allowed(loopc.compile(path).source), path.name


def test_a_folder_that_others_may_write_to_is_not_used(folder: Path) -> None:
    folder.mkdir()
    folder.chmod(0o777)
    run()
    assert cache.folder() is None
    assert not entries(folder)


def test_a_new_folder_is_its_owners_alone(folder: Path) -> None:
    run()
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("place", ["off", "", "0", "/dev/null/x", "a\0b"])
def test_no_folder_is_no_error(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", {**os.environ, cache.FOLDER: place})
    assert cache.folder() is None
    np.testing.assert_array_equal(run(), A @ X)


def test_a_disk_that_takes_nothing_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache, "write_beside", full)
    np.testing.assert_array_equal(run(), A @ X)


def test_the_oldest_entries_make_room(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "CAPACITY", 4)
    for number in range(12):
        run(TEXT + f"z = {number}\n")
        assert len(entries(folder)) <= 4


PROCESS = """
import sys, numpy as np, loopc
for number in range(12):
    n = (number + int(sys.argv[1])) % 6
    text = f"for i,j  y[i] += {n} A[i,j] x[j]" + chr(10)
    A = np.arange(6.0).reshape(2, 3)
    found = loopc.compile(text)(A=A, x=[1.0, 2.0, 3.0]).y
    assert (found == n * (A @ [1, 2, 3])).all()
"""


def test_processes_share_a_cache(folder: Path) -> None:
    command = [sys.executable, "-c", PROCESS]
    started = [subprocess.Popen([*command, str(n)]) for n in range(3)]
    assert [p.wait() for p in started] == [0, 0, 0]
    assert len(entries(folder)) == 6
    assert not [p for p in folder.iterdir() if p.suffix != ".py"]
