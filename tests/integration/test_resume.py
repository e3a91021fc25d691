"""A build that is killed at any moment leaves the old index serving, and goes on to what it would have come to.

With one thread FAISS gives the same bytes for the same vectors, whatever the kind, so all files are compared.
"""

import random
import re
import shutil
import signal
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest

from indexing.bm25.settings import Bm25Settings
from indexing.building import shards
from indexing.building.build import UNFINISHED, build
from indexing.building.prune import list_builds, prune
from indexing.building.settings import BuildSettings
from indexing.catalogue import build_folders, current_build, index_names, verify
from indexing.corpus.corpus import Corpus
from indexing.dense.encoder import BiEncoder
from indexing.errors import BusyError, IndexingError
from indexing.index import open_index
from indexing.manifest import Manifest
from indexing.progress import Progress, silent
from search.retrieve import retrieve_bm25, retrieve_dense
from tests.conftest import PASSAGES, write_lines
from tests.support.forks import Attempt, Forks

SHARD = 3  # passages
KILLS = 20


def passages(count: int) -> list[str]:
    """Lines of a corpus; the same every time."""
    rng = random.Random(5)
    words = sorted({word for text in PASSAGES.values() for word in text.split()})
    return [f"p{number}\t{' '.join(rng.choices(words, k=rng.randint(3, 30)))}" for number in range(count)]


LINES = passages(60)


# Killed from outside


class Builder:
    """Runs builds in processes of their own."""

    def __init__(self, forks: Forks) -> None:
        self._forks = forks

    def attempt(
        self,
        root: Path,
        corpus: Path,
        *,
        kill_before: int = 0,
        power_cut: bool = False,
        dense: str = "flat",
        shard_size: int = SHARD,
    ) -> Attempt:
        """Build the index `x`; the process is killed before its moment of this number, counted from 1."""
        self._forks.begin(
            "build",
            root=str(root),
            corpus=str(corpus),
            name="x",
            kill_before=kill_before,
            power_cut=power_cut,
            dense=dense,
            shard_size=shard_size,
        )
        return self._forks.end()


@pytest.fixture(scope="module")
def builder(forks: Forks) -> Builder:
    return Builder(forks)


@dataclass(frozen=True)
class Undisturbed:
    """A build that nobody stopped, over an older one that shares a shard and some passages with it."""

    old: Path
    """A folder of indexes with the older build alone."""
    corpus: Path
    shard_size: int
    manifest: Manifest
    moments: list[str]


def undisturbed(builder: Builder, folder: Path, *, count: int, dense: str, shard_size: int) -> Undisturbed:
    lines = passages(count)
    shared = [*lines[:shard_size], *lines[shard_size + 1 : shard_size + 3]]  # the first shard, and two passages more
    others = [f"{key}\t{text}" for key, text in PASSAGES.items()]
    old = write_lines(folder / "old.tsv", [*shared, *others])
    corpus = write_lines(folder / "c.tsv", lines)
    done = builder.attempt(folder / "old", old, shard_size=shard_size)
    assert done.code == 0, done.error
    shutil.copytree(folder / "old", folder / "new")
    whole = builder.attempt(folder / "new", corpus, dense=dense, shard_size=shard_size)
    assert whole.code == 0, whole.error
    manifest = Manifest.load(current_build("x", root=folder / "new"))
    assert (manifest.passages, manifest.encoded) == (count, count - shard_size - 2)
    assert manifest.encoded == whole.encoded
    return Undisturbed(folder / "old", corpus, shard_size, manifest, whole.moments)


@pytest.fixture(scope="module")
def flat(builder: Builder, tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """60 passages in 20 shards."""
    return undisturbed(builder, tmp_path_factory.mktemp("flat"), count=60, dense="flat", shard_size=SHARD)


def killed(builder: Builder, whole: Undisturbed, root: Path, *, kill_before: int, power_cut: bool) -> int:
    """Kill a build, see that an index serves, and give back how many passages had been encoded."""
    before = Manifest.load(current_build("x", root=root))
    stopped = builder.attempt(
        root,
        whole.corpus,
        kill_before=kill_before,
        power_cut=power_cut,
        dense=whole.manifest.dense.preset,
        shard_size=whole.shard_size,
    )
    assert stopped.code == -signal.SIGKILL, f"code {stopped.code} at {stopped.moments[-1:]}: {stopped.error}"
    assert len(stopped.moments) == kill_before
    for build_folder in build_folders(root / "x").values():
        assert verify(build_folder, full=True) == []
    serving = open_index("x", root=root)
    if serving.manifest.build != before.build:  # it was killed after the switch
        assert serving.manifest.files == whole.manifest.files
    assert serving.bm25.search(["bee"], depth=5)[0].size > 0
    assert index_names(root) == ["x"]
    return stopped.encoded


def resumed(builder: Builder, whole: Undisturbed, root: Path) -> int:
    """Build again to the end, compare all with the undisturbed build, and give back how many passages were encoded."""
    done = builder.attempt(root, whole.corpus, dense=whole.manifest.dense.preset, shard_size=whole.shard_size)
    assert done.code == 0, done.error
    folder = current_build("x", root=root)
    manifest = Manifest.load(folder)
    assert verify(folder, full=True) == []
    assert manifest.files == whole.manifest.files
    assert same(manifest) == same(whole.manifest)
    assert manifest.encoded == done.encoded
    assert [path.name for path in (root / "x").glob(f"{UNFINISHED}*")] == []
    return done.encoded


def same(manifest: Manifest) -> dict[str, Any]:
    """What a manifest says but for times, the build's own name, and what the last process had left to encode."""
    values = asdict(manifest)
    values["dense"]["quality"].pop("milliseconds")
    return {name: value for name, value in values.items() if name not in ("build", "created", "seconds", "encoded")}


def kill_and_resume(
    builder: Builder, whole: Undisturbed, root: Path, kills: list[int], *, power_cut: bool = False
) -> None:
    """Kill before each of these moments, one attempt after the other, then let a build end."""
    shutil.copytree(whole.old, root)
    old = current_build("x", root=root)
    encoded = 0
    for kill_before in kills:
        encoded += killed(builder, whole, root, kill_before=kill_before, power_cut=power_cut)
    ready = {shard.digest for folder in (root / "x").iterdir() if folder.is_dir() for shard in shards.load_all(folder)}
    shards_left = -(-whole.manifest.passages // whole.shard_size) - len(
        {row.digest for row in shards.load_all(current_build_after(whole))} & ready
    )
    last = resumed(builder, whole, root)
    # at most the shard at hand when it was killed is encoded again, however often it was
    assert last <= whole.shard_size * (shards_left + 1)
    assert encoded + last <= whole.manifest.encoded + whole.shard_size * len(kills)
    assert verify(old, full=True) == []  # shared files were not written into


def current_build_after(whole: Undisturbed) -> Path:
    return current_build("x", root=whole.old.parent / "new")


@pytest.mark.parametrize("number", range(KILLS))
def test_a_build_killed_at_a_random_moment_ends_as_if_it_never_was(
    builder: Builder, flat: Undisturbed, tmp_path: Path, number: int
) -> None:
    rng = random.Random(number)
    count = len(flat.moments)
    moment = rng.randint(count * number // KILLS + 1, count * (number + 1) // KILLS)  # all parts of a build are met
    # every third build is killed again, once it has gone on for up to 60 moments: it has that many left for certain
    kills = [moment, rng.randint(1, 60)] if number % 3 == 0 and moment < count - 20 else [moment]
    kill_and_resume(builder, flat, tmp_path / "root", kills, power_cut=number % 2 == 1)


@pytest.mark.parametrize(
    ("what", "after"),
    [
        (r"os\.rename .*/shards/\.00009\.json\.\w+$", 0),  # all files of a shard are there, its record isn't
        (r"os\.rename .*/\.manifest\.json\.\w+$", 0),
        (r"os\.rename .*/\.unfinished-\w+$", 0),  # all is there but the name
        (r"os\.rename .*/\.unfinished-\w+$", 1),  # it has its name, `current` has the old one
        (r"os\.rename .*/x/\.current\.\w+$", 0),
        (r"os\.rename .*/x/\.current\.\w+$", 1),  # it is the current one
    ],
)
def test_a_build_killed_where_it_takes_its_place_ends_as_if_it_never_was(
    builder: Builder, flat: Undisturbed, tmp_path: Path, what: str, after: int
) -> None:
    (place,) = (number for number, moment in enumerate(flat.moments, start=1) if re.match(what, moment))
    kill_and_resume(builder, flat, tmp_path / "root", [place + after], power_cut=True)


@pytest.mark.parametrize("dense", ["PQ8x4fs,Refine(SQ8)", "HNSW32,Flat"])
def test_a_build_with_codes_or_a_graph_ends_as_if_it_never_was_killed(
    builder: Builder, tmp_path: Path, dense: str
) -> None:
    whole = undisturbed(builder, tmp_path, count=640, dense=dense, shard_size=160)  # 16 centroids want 624 vectors
    count = len(whole.moments)
    kill_and_resume(builder, whole, tmp_path / "early", [random.Random(dense).randint(1, count // 2)])
    kill_and_resume(builder, whole, tmp_path / "late", [random.Random(dense).randint(count // 2, count)])


# Stopped from inside: what was there when a build goes on


def stopped_after(shards_done: int) -> Progress:
    """Progress that stops a build in the middle of the shard after these."""
    read = 0

    def progress(phase: str, passages: int, _: int) -> None:
        nonlocal read
        read += phase == "read"
        if read > shards_done:
            raise KeyboardInterrupt

    return progress


@dataclass(frozen=True)
class Bench:
    """Builds and stops one index in this process."""

    root: Path
    encoder: BiEncoder
    tokenizer: str

    def build(self, lines: list[str], *, progress: Progress = silent, root: str = "root", **more: Any) -> Manifest:
        corpus = self.root / "corpus/c.tsv"
        if not corpus.is_file() or corpus.read_text(encoding="utf-8").splitlines() != lines:
            write_lines(corpus, lines)  # a build notices a file that is written while it is read
        values: dict[str, Any] = {
            "bi_encoder": self.encoder.name,
            "shard_size": SHARD,
            "tokenizer": self.tokenizer,
            "token_vectors": "int4",
        }
        return build(
            Corpus(corpus),
            name="x",
            root=self.root / root,
            settings=BuildSettings(**values | more),
            progress=progress,
            encoder=self.encoder,
        )

    def stop(self, lines: list[str], *, shards_done: int = 4, **more: Any) -> Path:
        """Leave this many finished shards and one that isn't; give back the unfinished folder."""
        with pytest.raises(KeyboardInterrupt):
            self.build(lines, progress=stopped_after(shards_done), **more)
        (work,) = (self.root / "root/x").glob(f"{UNFINISHED}*")
        assert len(shards.load_all(work)) == shards_done
        return work


@pytest.fixture
def bench(tmp_path: Path, bi_encoder: BiEncoder, tiny_cross_encoder: Path) -> Bench:
    return Bench(tmp_path, bi_encoder, str(tiny_cross_encoder))


def test_a_build_that_goes_on_encodes_only_what_is_left(bench: Bench) -> None:
    bench.stop(LINES[:24])
    counted: dict[str, int] = {}

    def progress(phase: str, passages: int, _: int) -> None:
        counted[phase] = counted.get(phase, 0) + passages

    manifest = bench.build(LINES[:24], progress=progress)
    assert manifest.encoded == 24 - 4 * SHARD
    assert {counted[phase] for phase in ("read", "encode", "bm25", "dense")} == {24}  # bars end where they should
    assert manifest.files == bench.build(LINES[:24], root="fresh").files


@pytest.mark.parametrize("phase", ["bm25", "dense"])
def test_a_build_stopped_after_its_last_shard_encodes_nothing_again(bench: Bench, phase: str) -> None:
    def stop(at: str, *_: int) -> None:
        if at == phase:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bench.build(LINES[:24], progress=stop)
    manifest = bench.build(LINES[:24])
    assert manifest.encoded == 0
    assert manifest.files == bench.build(LINES[:24], root="fresh").files


@pytest.mark.parametrize("form", shards.SHARD_FORMS)
def test_a_byte_that_changed_in_a_finished_shard_is_found_and_that_shard_alone_made_again(
    bench: Bench, form: str
) -> None:
    work = bench.stop(LINES[:24])
    path = work / form / f"00002{shards.SHARD_FORMS[form]}"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    manifest = bench.build(LINES[:24])
    assert manifest.encoded == 24 - 4 * SHARD + SHARD
    assert manifest.files == bench.build(LINES[:24], root="fresh").files


CHANGED = "changed\tThis passage was written between the stop and the next build."


@pytest.mark.parametrize(
    ("lines", "kept"),
    [
        ([*LINES[:4], CHANGED, *LINES[5:24]], 3),  # in the second of four finished shards
        ([*LINES[:13], CHANGED, *LINES[14:24]], 4),  # in the shard at hand
        ([*LINES[:24], CHANGED], 4),
        ([CHANGED, *LINES[:24]], 0),  # every shard begins one passage earlier
        (LINES[:15], 4),  # ends with the shard at hand
        (LINES[:12], 4),  # ends with the last finished shard
        (LINES[:6], 2),
        (LINES[:7], 2),
        (LINES[6:24], 0),  # what is left is in other places
        ([line + "\tA title" for line in LINES[:24]], 0),
    ],
    ids=["early", "late", "more", "first", "shorter", "short", "shortest", "cut", "moved", "titles"],
)
def test_a_corpus_that_changed_since_the_stop_gives_what_a_fresh_build_of_it_gives(
    bench: Bench, lines: list[str], kept: int
) -> None:
    bench.stop(LINES[:24])
    manifest = bench.build(lines)
    assert manifest.encoded == len(lines) - kept * SHARD
    fresh = bench.build(lines, root="fresh")
    assert manifest.files == fresh.files
    assert same(manifest) == same(fresh)


def test_a_corpus_that_grew_shorter_twice_leaves_nothing_of_the_longer_ones(bench: Bench) -> None:
    work = bench.stop(LINES[:24], shards_done=6)
    (work / "shards/00003.json").unlink()  # as when the removal of the rest is killed
    manifest = bench.build(LINES[:6])
    assert manifest.files == bench.build(LINES[:6], root="fresh").files


def test_passages_that_changed_places_within_a_shard_give_the_same_answers(bench: Bench) -> None:
    bench.stop(LINES[:24])
    turned = [*LINES[2::-1], *LINES[3:24]]
    bench.build(turned)
    bench.build(turned, root="fresh")
    one, other = (open_index("x", root=bench.root / root) for root in ("root", "fresh"))
    for line in turned[:6]:
        query = line.partition("\t")[2]
        assert retrieve_bm25(one, query, depth=24)[0] == retrieve_bm25(other, query, depth=24)[0]
        cosines = [
            {row.passage_id: row.score for row in retrieve_dense(index, bench.encoder.encode_query(query), depth=24)[0]}
            for index in (one, other)
        ]
        assert cosines[0] == pytest.approx(cosines[1], abs=1e-3)  # stored in half precision
        assert len(cosines[0]) == 24


def test_other_settings_of_bm25_and_faiss_go_on_with_the_same_shards(bench: Bench) -> None:
    bench.stop(LINES[:24])
    manifest = bench.build(LINES[:24], bm25=Bm25Settings(k1=1.2, b=0.75), dense="hnsw")
    assert manifest.encoded == 24 - 4 * SHARD


@pytest.mark.parametrize("settings", [{"shard_size": 4}, {"tokenizer": ""}, {"token_vectors": ""}])
def test_settings_that_change_shards_begin_anew(bench: Bench, settings: dict[str, Any]) -> None:
    work = bench.stop(LINES[:24])
    manifest = bench.build(LINES[:24], **settings)
    assert manifest.encoded == 24
    assert len(shards.load_all(work)) == 4  # for a build with the settings of before
    assert bench.build(LINES[:24]).encoded == 0  # from its own shards, and vectors of the other build


def test_a_second_build_of_an_index_is_refused_while_the_first_goes_on(bench: Bench) -> None:
    refused: list[str] = []

    def meanwhile(phase: str, *_: int) -> None:
        if phase == "encode" and not refused:
            with pytest.raises(BusyError) as caught:
                bench.build(LINES[:24])
            refused.append(str(caught.value))

    manifest = bench.build(LINES[:24], progress=meanwhile)
    assert refused == [f"Another process is building {bench.root / 'root/x'}; wait for it, or stop it."]
    assert (manifest.passages, manifest.encoded) == (24, 24)
    assert verify(current_build("x", root=bench.root / "root"), full=True) == []


def test_an_unfinished_folder_is_no_index(bench: Bench) -> None:
    bench.stop(LINES[:24])
    assert index_names(bench.root / "root") == []
    assert build_folders(bench.root / "root/x") == {}
    with pytest.raises(IndexingError, match="no index 'x'"):
        open_index("x", root=bench.root / "root")


def test_gc_removes_an_unfinished_folder_and_the_next_build_begins_anew(bench: Bench) -> None:
    bench.build(LINES[30:36])
    work = bench.stop(LINES[:24])
    assert [row.state for row in list_builds("x", root=bench.root / "root", keep=1)] == ["current", "unfinished"]
    assert [row.folder for row in prune("x", root=bench.root / "root", keep=1)] == [work]
    assert bench.build(LINES[:24]).encoded == 24


def test_a_build_that_is_stopped_before_its_first_shard_leaves_nothing(bench: Bench) -> None:
    with pytest.raises(KeyboardInterrupt):
        bench.build(LINES[:24], progress=stopped_after(0))
    assert list((bench.root / "root").iterdir()) == []
