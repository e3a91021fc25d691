"""Charts of a training: the loss by step, smoothed, and nDCG@10 on the dev set compared with the served version's."""

from collections.abc import Sequence

import altair as alt

from app.views.widgets.palette import BAR, DOWN, SAME, UP
from training.evaluation.settings import MAIN_MEASURE
from training.jobs.status import Metric

MOST_POINTS = 400  # of a line; more can't be distinguished
SPANS = 20  # the smoothed line averages over a twentieth of the steps
HEIGHT = 220  # pixels
SCALE_WIDTH = 40  # pixels of the numbers beside a chart, so that the steps of both charts align


def smoothed(values: Sequence[float]) -> list[float]:
    """The exponential moving average over a span of a twentieth of the values, at least 5, without a startup bias."""
    decay = 1 - 2 / (max(5, len(values) // SPANS) + 1)
    total = weight = 0.0
    means = []
    for value in values:
        total, weight = decay * total + value, decay * weight + 1
        means.append(total / weight)
    return means


def loss_chart(metrics: Sequence[Metric]) -> alt.LayerChart:
    """A faint line of each step's loss behind the smoothed one."""
    known = [(metric.step, metric.loss) for metric in metrics if metric.loss is not None]
    lines = zip(known, smoothed([loss for _, loss in known]), strict=True)
    rows = [{"step": step, "loss": loss, "smoothed": mean} for (step, loss), mean in lines]
    stride = -(-len(rows) // MOST_POINTS)
    drawn = [row for place, row in enumerate(rows) if place % stride == 0 or place == len(rows) - 1]
    base = alt.Chart(alt.InlineData(values=drawn)).encode(
        x=_steps(metrics),
        tooltip=[alt.Tooltip("step:Q"), alt.Tooltip("loss:Q", format=".4f"), alt.Tooltip("smoothed:Q", format=".4f")],
    )
    every = base.mark_line(color=SAME, opacity=0.35, strokeWidth=1).encode(y=_height("loss"))
    mean = base.mark_line(color=BAR, strokeWidth=2.4).encode(y=_height("smoothed"))
    told = f"The loss by step; smoothed, it is {rows[-1]['smoothed']:.4f} at step {rows[-1]['step']:,}." if rows else ""
    return alt.LayerChart(
        layer=[every, mean],
        height=HEIGHT,
        title=_title("Loss by step"),
        description=told or "The loss by step; none is known yet.",
    )


def ndcg_chart(
    metrics: Sequence[Metric], current: str, current_ndcg: float | None, *, measured: str = ""
) -> alt.LayerChart:
    """Points where the dev set was measured; a dashed line for the served version.

    Its description tells the values, and by `measured` what they are of.
    """
    rows = [{"step": metric.step, "ndcg": metric.ndcg} for metric in metrics if metric.ndcg is not None]
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        x=_steps(metrics),
        y=_height("ndcg"),
        tooltip=[alt.Tooltip("step:Q"), alt.Tooltip("ndcg:Q", title=MAIN_MEASURE, format=".4f")],
    )
    layers: list[alt.Chart] = [base.mark_line(color=UP, strokeWidth=2), base.mark_point(color=UP, filled=True, size=50)]
    if current_ndcg is not None:
        line = alt.Chart(alt.InlineData(values=[{"ndcg": current_ndcg, "name": f"served version: {current}"}]))
        rule = line.mark_rule(color=DOWN, strokeDash=[6, 4], strokeWidth=1.5)
        words = line.mark_text(color=DOWN, align="left", baseline="bottom", dy=-3).encode(
            x=alt.value(4), text=alt.Text("name:N")
        )
        tooltips = [alt.Tooltip("name:N", title="line"), alt.Tooltip("ndcg:Q", title=MAIN_MEASURE, format=".4f")]
        layers += [part.encode(y="ndcg:Q", tooltip=tooltips) for part in (rule, words)]
    told = "; ".join(f"step {row['step']:,}: {row['ndcg']:.4f}" for row in rows)
    served = "" if current_ndcg is None else f" The served version, {current}: {current_ndcg:.4f}."
    description = f"{MAIN_MEASURE} on {measured or 'the dev set'}. {told or 'Not measured yet'}.{served}"
    return alt.LayerChart(
        layer=layers, height=HEIGHT, title=_title("nDCG@10 on the dev queries by step"), description=description
    )


def _steps(metrics: Sequence[Metric]) -> alt.X:
    """The same axis of steps in both charts, whenever the dev set was measured."""
    scale = alt.Scale(domain=[0, metrics[-1].step], nice=False)
    return alt.X("step:Q", title="step", axis=alt.Axis(grid=False, tickMinStep=1), scale=scale)


def _title(text: str) -> alt.TitleParams:
    """The chart's title, which says what its numbers are: a title beside them would lie over them."""
    return alt.TitleParams(text, anchor="start", fontSize=13, fontWeight=600)


def _height(field: str) -> alt.Y:
    axis = alt.Axis(minExtent=SCALE_WIDTH, maxExtent=SCALE_WIDTH, title=None)
    return alt.Y(f"{field}:Q", axis=axis, scale=alt.Scale(zero=False))
