"""An index's bytes are checked when it is opened: at once, or in the background while it serves; both are told."""

import logging
import os
import threading
from pathlib import Path

import pytest

from indexing import verification
from indexing.catalogue import current_build, set_current
from indexing.errors import IndexingError
from indexing.index import open_build, open_index
from indexing.manifest import Manifest
from indexing.verification import BROKEN, NO_VERIFY, SOUND, UNCHECKED, Verifications, verifications


def flip(path: Path) -> None:
    """Change one bit, and neither size nor time of the file."""
    stat, content = path.stat(), path.read_bytes()
    path.write_bytes(content[:-9] + bytes([content[-9] ^ 4]) + content[-8:])
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def test_a_bit_of_any_file_is_noticed_at_open(own_root: Path) -> None:
    folder = current_build("small", root=own_root)
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "manifest.json"):
        flip(path)
        with pytest.raises(IndexingError, match=f"is broken: .*{path.name} has another checksum .*Rebuild it"):
            open_index("small", root=own_root)
        flip(path)
    assert len(open_index("small", root=own_root).passages) == 20
    found = verifications.of(folder)
    assert found is not None
    assert found.sentence() == f"Bytes checked at {found.at:%H:%M}: sound"


def test_a_sound_build_is_not_read_again_until_a_file_changes(own_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = current_build("small", root=own_root)
    manifest, own = Manifest.load(folder), Verifications()
    own.begin(folder, manifest)
    read: list[Path] = []

    def keep(place: Path, _: object) -> str:
        read.append(place)
        return ""

    monkeypatch.setattr(verification, "first_fault", keep)
    own.begin(folder, manifest)
    assert read == []
    flip(folder / "dense.faiss")  # its size and time stay, the time of the change doesn't
    own.begin(folder, manifest)
    assert read == [folder]


def test_a_large_build_is_checked_while_it_serves_and_then_stops_serving(
    own_root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder, own = current_build("small", root=own_root), Verifications()
    flip(folder / "dense.faiss")
    with caplog.at_level(logging.INFO, logger="indexing.verification"):
        thread = own.begin(folder, Manifest.load(folder), at_once=0)
        assert thread is not None
        thread.join()
    found = own.of(folder)
    assert found is not None
    assert found.state == BROKEN
    assert "dense.faiss has another checksum" in found.sentence()
    assert "is broken: dense.faiss" in caplog.text
    with pytest.raises(IndexingError, match=r"is broken: dense\.faiss"):
        own.check(folder)


def test_a_sound_one_is_told_too(own_root: Path) -> None:
    folder, own = current_build("small", root=own_root), Verifications()
    thread = own.begin(folder, Manifest.load(folder), at_once=0)
    assert thread is not None
    thread.join()
    found = own.of(folder)
    assert found is not None
    assert found.state == SOUND
    own.check(folder)
    assert own.unfinished() == []


def test_a_check_that_goes_on_is_unfinished(own_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, own, free = current_build("small", root=own_root), Verifications(), threading.Event()

    def waiting(*_: object) -> str:
        free.wait()
        return ""

    monkeypatch.setattr(verification, "first_fault", waiting)
    thread = own.begin(folder, Manifest.load(folder), at_once=0)
    assert own.unfinished() == [folder]
    free.set()
    assert thread is not None
    thread.join()


def test_bytes_may_be_left_unchecked(own_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = current_build("small", root=own_root)
    content = (folder / "vectors/00000.npy").read_bytes()
    (folder / "vectors/00000.npy").write_bytes(content[:-2] + bytes([content[-2] ^ 1]) + content[-1:])
    monkeypatch.setenv(NO_VERIFY, "1")
    assert len(open_index("small", root=own_root).passages) == 20
    found = verifications.of(folder)
    assert found is not None
    assert found.state == UNCHECKED
    assert found.sentence() == f"Bytes not checked, because {NO_VERIFY} is set"


def test_the_build_that_was_asked_for_is_opened_though_another_became_current(own_root: Path) -> None:
    folder = current_build("small", root=own_root)
    set_current(own_root / "small", "20990101-000000-abcdef")
    assert open_build(folder).folder == folder
