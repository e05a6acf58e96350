"""What the sections of a report draw from."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from xlite.data.eda.palette import DIVERGING, SCREEN_DIVERGING
from xlite.evaluation.report import Report
from xlite.findings import FINDINGS
from xlite.metrics.bands import Curves
from xlite.metrics.estimate import Estimate
from xlite.plots import PALETTE
from xlite.report.charts.paper import PAPER
from xlite.report.document import Cell
from xlite.report.sentences import source, source_lines
from xlite.text import difference


@dataclass(frozen=True, eq=False)
class View:
    """A report with its curves, whose charts are drawn for white paper or for dark pages.

    headed: a head above all sections says what was judged, so that no chart or table repeats it.
    """

    report: Report
    curves: Curves
    on_paper: bool = True
    headed: bool = False

    @property
    def palette(self) -> Sequence[str]:
        """The colours of the models, findings or groups of a chart."""
        return PAPER if self.on_paper else PALETTE

    @property
    def diverging(self) -> Sequence[str]:
        """The colours from less to more than expected."""
        return DIVERGING if self.on_paper else SCREEN_DIVERGING

    @property
    def source(self) -> str:
        """The sentence that belongs beside each of its metrics; none if a head says it."""
        return "" if self.headed else source(self.report)

    @property
    def source_lines(self) -> tuple[str, ...]:
        """The same in lines, for figures."""
        return () if self.headed else source_lines(self.report)

    @property
    def contaminated(self) -> bool:
        """Whether its metrics are struck through: what is judged knows some of the films."""
        return self.report.contaminated

    def cell(self, value: Estimate | float | None) -> Cell:
        """A metric as a table's cell, struck through if the report is contaminated."""
        return metric_cell(value, self.contaminated)

    def mean_cell(self, value: Estimate, findings: int | None, stated: int = len(FINDINGS)) -> Cell:
        """A mean over findings, with their number if that is known and not the stated one."""
        cell = self.cell(value)
        few = value.value is not None and findings not in (None, stated)
        return cell._replace(text=f"{cell.text} of {findings}") if few else cell

    def marked(self, value: Estimate | float | None, absent: str = "undefined") -> str:
        """A metric in plotly's markup, struck through if the report is contaminated; else `absent`."""
        cell = metric_cell(value, self.contaminated, absent)
        return f"<s>{cell.text}</s>" if cell.struck else cell.text


def difference_cell(value: Estimate, contaminated: bool) -> Cell:
    """A difference with its sign as a table's cell, as `metric_cell`."""
    if value.value is None:
        return Cell("undefined")
    return Cell(difference(value.value, value.low, value.high), struck=contaminated)


def metric_cell(value: Estimate | float | None, contaminated: bool, absent: str = "undefined") -> Cell:
    """A metric as a table's cell, struck through on contaminated films; if undefined `absent`, not struck."""
    one = value if isinstance(value, Estimate) else Estimate(value)
    if one.value is None or math.isnan(one.value):
        return Cell(absent)
    return Cell(str(one), struck=contaminated)
