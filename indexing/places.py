"""Where things lie on this disk: everything below one folder, looked up each time it is needed."""

import os
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
"""Where the packages lie, which no variable moves."""
HOME, INDEX_ROOT, FEEDBACK = "SECOND_LOOK_HOME", "SECOND_LOOK_INDEX_ROOT", "SECOND_LOOK_FEEDBACK"
"""Environment variables: of the folder of everything, and of two places that may lie elsewhere."""


def home() -> Path:
    """The folder of all data: SECOND_LOOK_HOME, else the checkout's `data`, relative if below the working directory."""
    return _from_environment(HOME) or _checkout_data()


def indexes() -> Path:
    """The folder of all indexes: SECOND_LOOK_INDEX_ROOT, else below `home`."""
    return _from_environment(INDEX_ROOT) or home() / "indexes"


def corpora() -> Path:
    """The folder of corpora that were fetched from a hub or uploaded."""
    return home() / "corpora"


def models() -> Path:
    """The folder of trained re-rankers, of promoted.json and of the pinned expectations."""
    return home() / "models"


def jobs() -> Path:
    """The folder of all jobs, builds and trainings."""
    return home() / "jobs"


def feedback() -> Path:
    """The SQLite file of all grades: SECOND_LOOK_FEEDBACK, else below `home`."""
    return _from_environment(FEEDBACK) or home() / "feedback" / "feedback.sqlite3"


def clicks() -> Path:
    """The folder of judgments from clicks that are kept to train on, a folder an index."""
    return home() / "clicks"


def click_logs() -> Path:
    """The folder of click logs on this machine that the app offers, for those that are too large to upload."""
    return home() / "click-logs"


def imported() -> Path:
    """The folder of judgments from files of others that are kept to train on, a folder an index."""
    return home() / "imported"


def model_grades() -> Path:
    """The folder of grades by a language model that are kept to train on, a folder an index."""
    return home() / "model-grades"


def judges() -> Path:
    """The folder of language models' answers and of how far each agrees with a rater, a folder an index."""
    return home() / "judges"


def runs() -> Path:
    """The folder of experiments, such as a race of recipes."""
    return home() / "runs"


def sample() -> Path:
    """The bundled collection, whose dev and test queries no command trains on; the checkout's if `home` has none."""
    return _bundled("sample")


def shipped_reranker() -> Path:
    """The re-ranker that comes with the program; the checkout's if `home` has none."""
    return _bundled("reranker")


def shipped_calibration() -> Path:
    """The file with the calibration that comes with the program, of the bundled collection's default."""
    return _bundled("calibration") / "sample.json"


def _from_environment(name: str) -> Path | None:
    value = os.environ.get(name)
    return Path(value) if value else None


def _checkout_data() -> Path:
    data, here = CHECKOUT / "data", Path.cwd()
    return data.relative_to(here) if data.is_relative_to(here) else data


def _bundled(name: str) -> Path:
    own = home() / name
    return own if own.is_dir() else _checkout_data() / name
