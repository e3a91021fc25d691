"""A rater's grades beside a model's, as an HTML table."""

from app.views.widgets.passage.judgment import GRADES
from training.judgments.by_model.measured import ModelAgreement

STYLE = """
<style>
.sl-agreement { border-collapse: collapse; font-size: .86rem; font-variant-numeric: tabular-nums; }
.sl-agreement :is(th, td) {
  text-align: right; padding: .16rem .8rem; border: 0; border-bottom: 1px solid var(--sl-line); font-weight: 400;
}
.sl-agreement thead th { color: var(--sl-quiet); font-size: .8rem; }
.sl-agreement td[data-same] { background: var(--sl-soft); font-weight: 650; }
</style>
"""


def agreement_html(agreement: ModelAgreement) -> str:
    """How often each grade of the rater's (rows) met each of the model's (columns); equal ones are marked."""
    grades = range(len(agreement.table))
    rows = "".join(
        f'<tr><th scope="row">you: {GRADES[own]}</th>'
        + "".join(f"<td{' data-same' * (own == grade)}>{count:,}</td>" for grade, count in enumerate(counts))
        + "</tr>"
        for own, counts in enumerate(agreement.table)
    )
    heads = "".join(f'<th scope="col">model: {GRADES[grade]}</th>' for grade in grades)
    return (
        f'{STYLE}<table class="sl-agreement" aria-label="Your grades beside the model\'s">'
        f"<thead><tr><td></td>{heads}</tr></thead><tbody>{rows}</tbody></table>"
    )
