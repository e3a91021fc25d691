"""judgments clicks: judgments from a log of searches and clicks, and what each least number of views would leave."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from indexing.cli.numbers import real, whole
from indexing.cli.printed import print_json
from indexing.cli.shell import Commands
from indexing.errors import SettingsError
from indexing.notes import counted

if TYPE_CHECKING:
    from training.judgments.clicks.judge import ClickJudgments


def add(actions: Commands) -> None:
    """Add the action."""
    command = actions.add_parser("clicks", help="make judgments from a log of searches and clicks (UBI's JSON lines)")
    command.add_argument("log", nargs="+", type=Path, help="files of one log: queries and events, in any order")
    command.add_argument("--output", type=Path, help="folder for the judgments; without it they are only counted")
    command.add_argument("--queries", type=Path, help="file of queries, whose ids those with the same text keep")
    command.add_argument(
        "--views", type=whole(least=1), default=10, help="least views of a passage for a query (%(default)s)"
    )
    command.add_argument(
        "--expected",
        type=real(above=0),
        default=1.0,
        help="least clicks that an average passage would have got in its places (%(default)s)",
    )
    command.add_argument(
        "--places", type=whole(least=1), default=20, help="places from the first that count (%(default)s)"
    )
    command.add_argument(
        "--bounds",
        nargs=3,
        type=real(above=0),
        default=[0.5, 1.0, 2.0],
        metavar=("ONE", "TWO", "THREE"),
        help="clicks over expected clicks from which the grade is 1, 2 and 3 (0.5 1 2)",
    )
    command.add_argument("--json", action="store_true", help="print JSON for programs")
    command.set_defaults(run=_clicks)


def _clicks(options: argparse.Namespace) -> int:
    from training.judgments.clicks.expected import ClickSettings
    from training.judgments.clicks.judge import judge_clicks, write_clicks

    settings = ClickSettings(
        least_views=options.views,
        least_expected=options.expected,
        places=options.places,
        bounds=tuple(options.bounds),
    )
    if options.queries is not None and options.output is None:
        raise SettingsError("--queries names what --output writes; give --output too, or leave --queries out.")
    judgments = judge_clicks(options.log, settings)
    if options.output is not None:
        write_clicks(judgments, options.output, queries=options.queries)
    if options.json:
        print_json(judgments.as_json())
    else:
        _print(judgments, options.output)
    return 0


def _print(judgments: "ClickJudgments", output: Path | None) -> None:
    views, settings, judged = judgments.views, judgments.settings, judgments.judged
    total = views.total
    kind = "impressions" if views.by_impressions else "what the searches returned"
    print(
        f"{counted(views.searches, 'search', 'searches')} of {counted(len(views.texts), 'query', 'queries')}: "
        f"{counted(total.clicks, 'click')} on {counted(total.views, 'view')} ({kind}) on "
        f"the first {settings.places} places"
    )
    print("\nplace    views   clicks  clicks a view")
    for row in judgments.rates:
        print(f"{row.place:5} {row.views:8,} {row.clicks:8,} {row.rate:14.3f}")
    print("\nleast views  judgments  queries")
    for least, count, queries in judgments.steps():
        chosen = "  <- --views" if least == settings.least_views else ""
        print(f"{least:11,} {count:10,} {queries:8,}{chosen}")
    grades = ", ".join(f"{count:,} of grade {grade}" for grade, count in judgments.grades.items())
    print(
        f"\n{len(judged):,} judgments from clicks, with {settings.least_views:,} views and "
        f"{settings.least_expected:g} expected clicks or more: {grades}"
    )
    if output is None:
        print("Nothing is written; --output FOLDER writes them")
    else:
        print(f"Train on them: --data judged:INDEX,queries={output}/queries.clicks.tsv,qrels={output}/qrels.clicks.tsv")
