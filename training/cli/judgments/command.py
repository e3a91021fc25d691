"""judgments: bring judgments in from Quepid, OpenSearch, clicks or a language model, and hand them on to Quepid."""

from indexing.cli.shell import Commands
from training.cli.judgments import by_model, clicks, exchange


def add(commands: Commands) -> None:
    """Add the command `judgments`."""
    parser = commands.add_parser(
        "judgments", help="judgments from Quepid, OpenSearch, clicks or a model, and to Quepid"
    )
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    exchange.add(actions)
    clicks.add(actions)
    by_model.add(actions)
