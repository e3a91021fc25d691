"""An index that work of this server needs isn't deleted, and the work is named as it is everywhere."""

from pathlib import Path

import pytest

from app.background import BackgroundJob, Subject
from app.views.evaluate.deciding import DecideChoice
from app.views.indexes import removal
from indexing.errors import BusyError


def test_work_that_needs_the_index_is_named_with_its_names_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECOND_LOOK_HOME", str(tmp_path))
    choice = DecideChoice(index="MyPets", split="dev", budget="usual")
    work: BackgroundJob[None] = BackgroundJob(lambda _: None, Subject("the decision for MyPets", choice=choice))
    monkeypatch.setattr(removal, "running_jobs", lambda: [work])
    with pytest.raises(BusyError, match=r"^The decision for MyPets uses index 'MyPets'; wait for it, or stop it\.$"):
        removal.check_unused("MyPets", tmp_path)
    removal.check_unused("other", tmp_path)
