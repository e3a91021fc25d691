"""Every error a user can meet: one sentence with the value, the place and the next action.

SecondLookError
├── CorpusError      a corpus, query file, qrels file or run can't be read as given
├── SettingsError    a setting is out of its range, or two settings contradict each other
├── IndexingError    an index is absent, broken, or was built from something else
├── ModelError       a bi-encoder or cross-encoder can't be loaded or gives unusable numbers
├── HubError         a data or model hub isn't reached, or doesn't hold what was asked for
├── TrainingError    a training can't start or resume
├── DiskFullError    a disk, a quota or the largest file size is exhausted
└── BusyError        another process is at work on the same thing
"""


class SecondLookError(Exception):
    """Base of every error that is shown to a user as one sentence, without a traceback."""


class CorpusError(SecondLookError):
    """A corpus, query file, qrels file or run can't be read as given."""


class SettingsError(SecondLookError):
    """A setting is out of its range, or contradicts another."""


class IndexingError(SecondLookError):
    """An index is absent, broken, or was built from something else."""


class ModelError(SecondLookError):
    """A bi-encoder or cross-encoder can't be loaded, or gives unusable numbers."""


class HubError(SecondLookError):
    """A data or model hub isn't reached, or doesn't hold what was asked for."""


class TrainingError(SecondLookError):
    """A training can't start or resume."""


class DiskFullError(SecondLookError):
    """A disk, a quota or the largest file size is exhausted."""


class BusyError(SecondLookError):
    """Another process is at work on the same thing."""


def first_line(error: BaseException) -> str:
    """The first line of what an error says, at most 160 characters."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:160]
