"""judgments: bring judgments in from Quepid, OpenSearch or a log of clicks, and hand them on to Quepid."""

from indexing.cli.shell import Commands
from training.cli.judgments import clicks, exchange


def add(commands: Commands) -> None:
    """Add the command `judgments`."""
    parser = commands.add_parser(
        "judgments", help="bring judgments in from Quepid, OpenSearch or clicks, and out again"
    )
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    exchange.add(actions)
    clicks.add(actions)
