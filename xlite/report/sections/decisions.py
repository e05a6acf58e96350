"""What validation decided: thresholds and calibration."""

from collections.abc import Sequence
from functools import partial

from xlite.findings import FINDINGS, spoken
from xlite.metrics.thresholds import RULES
from xlite.report.charts import rates as charts
from xlite.report.document import Block, Chart, Table, Text
from xlite.report.sections.marks import capital, known, struck
from xlite.report.sections.results import RATES
from xlite.report.sentences import interval, source
from xlite.text import number

_MAPS = {"none": "none", "temperature": "temperature", "platt": "Platt", "isotonic": "isotonic"}


def thresholds(report: dict) -> list[Block]:
    """What thresholds by each rule, chosen on validation, give on these films."""
    points, note = report["operating_points"], report["validation"]["note"]
    if points is None:
        return [Text(f"No thresholds were chosen: {note}.")]
    means = [
        [capital(RULES[rule]), *(struck(report, interval(one["macro"][rate])) for rate in RATES)]
        for rule, one in points.items()
    ]
    blocks = [
        Text(f"Chosen per finding on {note}; the rates are those on the films judged here."),
        Table(["Mean over findings", *RATES.values()], means),
    ]
    for rule, one in points.items():
        rows = [
            [
                known(name, report["per_class"][name]),
                number(one["per_class"][name]["threshold"]),
                *(struck(report, interval(one["per_class"][name][rate])) for rate in RATES),
            ]
            for name in FINDINGS
        ]
        blocks.append(Table([capital(RULES[rule]), "Threshold", *RATES.values()], rows))
    return blocks


def calibration(report: dict, curves: dict, palette: Sequence[str]) -> list[Block]:
    """Reliability diagrams, and the error before and after each map."""
    found, note = report["calibration"], report["validation"]["note"]
    blocks: list[Block] = [
        Text(f"Map in use: {_MAPS.get(found['in_use'], found['in_use'])}{_others(found)}.")
    ]
    if found["maps"]:
        rows = [
            [
                _MAPS[method] + (" (in use)" if method == found["in_use"] else ""),
                struck(report, interval(one["macro"]["ece"])),
                struck(report, interval(one["macro"]["brier"])),
            ]
            for method, one in found["maps"].items()
        ]
        caption = f"Each map fitted on {note}, judged on the films of this report. Less is better."
        blocks.append(Table(["Map", "Calibration error (15 bins)", "Brier score"], rows, caption))
    else:
        blocks.append(Text(f"No maps were fitted: {note}."))
    before = any("reliability_before" in one for one in curves.values())
    caption = (
        "Share of films that have the finding over the probability given; on the dotted line is right. Of 15 "
        f"bins those with fewer than {charts.LEAST_IN_BIN} films are not drawn."
        + (" Hollow: before calibration." if before else "")
    )
    return [*blocks, Chart(partial(charts.reliability_grid, curves, source(report), palette), caption)]


def _others(found: dict) -> str:
    """Which findings are without the map in use; a report of old does not say."""
    bare = found.get("without_map", [])
    if found["in_use"] == "none" or not bare:
        return ""
    return (
        f", for {len(FINDINGS) - len(bare)} of {len(FINDINGS)} findings; the others had too few positives or "
        f"negatives in validation: {', '.join(map(spoken, bare))}"
    )
