"""What was judged, and its figures: findings, curves, published results."""

from collections.abc import Sequence
from functools import partial

from xlite.findings import FEW_POSITIVES, FINDINGS, spoken
from xlite.report.charts import intervals as compared
from xlite.report.charts import paper as parts
from xlite.report.charts import rates as charts
from xlite.report.document import Alert, Block, Cell, Chart, Table, Text
from xlite.report.sections.marks import known, sentence, struck
from xlite.report.sentences import clean, interval, mean_of, source
from xlite.text import counted, number

RATES = {"f1": "F1", "precision": "Precision", "recall": "Sensitivity", "specificity": "Specificity"}
_OF_CLEAN = ("auc", "ap", "f1", "ece", "brier")


def head(report: dict) -> list[Block]:
    """What was judged on what, what to be warned of, and the mean figures."""
    base, names = report["baseline"], ("auc", "ap", "f1", "ece", "brier")
    auc, ap, f1, ece, brier = (report["macro"][name] for name in names)
    counts = [report["macro_findings"][name] for name in names]
    words = {
        "AUC": (auc, "0.5 by chance"),
        "Average precision": (ap, f"{number(base['prevalence'])} (prevalence)"),
        "F1 at the thresholds": (f1, f"{number(base['always_yes_f1'])} (always yes)"),
        "Calibration error (15 bins)": (ece, "0 is best"),
        "Brier score": (brier, "0 is best"),
    }
    rows = [
        [title, struck(report, interval(figure)), beside, str(count)]
        for (title, (figure, beside)), count in zip(words.items(), counts, strict=True)
    ]
    accuracy = struck(report, number(base["accuracy"]))
    rows.insert(3, ["Accuracy", accuracy, f"{number(base['always_no_accuracy'])} (always no)", "14"])
    return [
        Text(sentence(source(report))),
        *warnings(report),
        Table(["Mean over findings", "Value (95 % interval)", "Baseline", "Findings"], rows),
        *clean_films(report),
    ]


def clean_films(report: dict) -> list[Block]:
    """Of a contaminated report the figures on the films that are new to what is judged; else nothing."""
    if report["contamination"] is None:
        return []
    figures = report["contamination"].get("clean")
    said = Text(sentence(clean(report)))
    if figures is None:
        return [said]
    shown = {
        f"{spoken(name)} ({one['positives']} positives)": one
        for name, one in figures["per_class"].items()
        if not one["few_positives"]
    }
    mean = [mean_of(figures).capitalize(), *(interval(figures["macro"][name]) for name in _OF_CLEAN)]
    rows = [
        [title, interval(one["auc"]), interval(one["ap"]), *(_ranged(one, rate) for rate in _OF_CLEAN[2:])]
        for title, one in shown.items()
    ]
    caption = f"Findings with at least {FEW_POSITIVES} positives among them. {source(figures)}"
    header = ["Clean films alone", "AUC", "Average precision", "F1", "Calibration error", "Brier score"]
    return [said, Table(header, [mean, *rows], caption)]


def warnings(report: dict) -> list[Block]:
    """Contamination with its count, and the report's other warnings."""
    spoiled, blocks = report["contamination"], []
    if spoiled:
        films = f"{spoiled['films']:,} of {counted(spoiled['of'], 'film')}"
        title = f"Contaminated: {films}. Figures are struck through."
        blocks.append(Alert(title, [sentence(reason) for reason in spoiled["reasons"]], grave=True))
    others = [text for text in report["warnings"] if not spoiled or text not in spoiled["reasons"]]
    if others:
        blocks.append(Alert("To keep in mind", [sentence(text) for text in others]))
    return blocks


def findings(report: dict, palette: Sequence[str]) -> list[Block]:
    """AUC of each finding as a figure, then every figure of each as tables."""
    per_class = report["per_class"]
    models = {report["model"]: {name: per_class[name]["auc"] for name in FINDINGS}}
    names = [known(name, per_class[name]) for name in FINDINGS]
    first = [
        [
            title,
            f"{one['positives']:,}",
            struck(report, interval(one["auc"])),
            struck(report, interval(one["ap"])),
            f"{one['prevalence']:.3f}",
            struck(report, number(one["brier"])),
            struck(report, number(one["ece"])),
        ]
        for title, one in zip(names, per_class.values(), strict=True)
    ]
    macro = report["macro"]
    mean = [
        mean_of(report).capitalize(),
        "",
        struck(report, interval(macro["auc"])),
        struck(report, interval(macro["ap"])),
        number(report["baseline"]["prevalence"]),
        struck(report, number(macro["brier"]["value"])),
        struck(report, number(macro["ece"]["value"])),
    ]
    few = [spoken(name) for name in FINDINGS if per_class[name]["few_positives"]]
    caption = (
        f"* fewer than {FEW_POSITIVES} positives: hardly known. {source(report)}" if few else source(report)
    )
    draw = partial(compared.auc_figure, models, source(report), report["references"], palette)
    header = ["Finding", "Positives", "AUC", "Average precision", "Prevalence", "Brier", "ECE"]
    return [Chart(draw), Table(header, [*first, mean], caption), *_at_thresholds(report, names)]


def _at_thresholds(report: dict, names: list[str]) -> list[Block]:
    rows = [
        [
            title,
            number(one["threshold"]),
            *(struck(report, _ranged(one, rate)) for rate in RATES),
            number(one["always_yes_f1"]),
        ]
        for title, one in zip(names, report["per_class"].values(), strict=True)
    ]
    macro = report["macro"]
    mean = ["Mean", "", *(struck(report, interval(macro[rate])) for rate in RATES)]
    mean.append(number(report["baseline"]["always_yes_f1"]))
    base = report["baseline"]
    caption = (
        f"Accuracy {base['accuracy']:.3f}; always answering no has {base['always_no_accuracy']:.3f}, so "
        "accuracy says nothing."
    )
    return [
        Table(["At its threshold", "Threshold", *RATES.values(), "F1 of always yes"], [*rows, mean], caption)
    ]


def curve_grids(report: dict, curves: dict, palette: Sequence[str]) -> list[Block]:
    """ROC and precision-recall curves of all findings, with bands."""
    roc, pr = {}, {}
    for name, one in report["per_class"].items():
        auc, ap = number(one["auc"]["value"], absent="no AUC"), number(one["ap"]["value"], absent="no AP")
        roc[name] = [charts.curve_of(curves[name], "roc", parts.struck(report, auc))]
        pr[name] = [charts.curve_of(curves[name], "pr", parts.struck(report, ap))]
    return [
        Chart(
            partial(charts.curves_grid, roc, source(report), "roc", palette),
            "ROC curves; the number is the AUC.",
        ),
        Chart(
            partial(charts.curves_grid, pr, source(report), "pr", palette),
            "Precision over recall; the number is average precision. Bands: 95 % intervals place by place.",
        ),
    ]


def references(report: dict) -> list[Block]:
    """This model among published results: only those of the same films count, the others are grey."""
    mine = [report["model"], struck(report, interval(report["macro"]["auc"])), "this report"]
    others = sorted(report["references"], key=lambda one: (not one["comparable"], one["auc"]))
    rows = [
        [Cell(text, grey=not one["comparable"]) for text in (one["name"], number(one["auc"]), one["reason"])]
        for one in others
    ]
    same = sum(one["comparable"] for one in others)
    text = (
        f"Of these films too: {same}. The grey ones are of other films and may not be ranked with this one."
        if same
        else "No published result is of these films: all are grey, for orientation, and none may be ranked."
    )
    return [Text(text), Table(["Result", "Mean AUC of 14", "Films"], [mine, *rows], words=(2,))]


def _ranged(figures: dict, rate: str) -> str:
    low, high = figures["intervals"][rate]
    return interval({"value": figures[rate], "low": low, "high": high})


def published_beside(report: dict, names: Sequence[str]) -> Table:
    """AUC of some findings beside that of each published result that has one for each; grey: other films."""
    others = [one for one in report["references"] if one["per_class"]]
    rows = [
        [
            spoken(name),
            struck(report, interval(report["per_class"][name]["auc"])),
            *(Cell(number(one["per_class"][name]), grey=not one["comparable"]) for one in others),
        ]
        for name in names
    ]
    grey = [one["name"] for one in others if not one["comparable"]]
    caption = f"Of other films, not to be compared: {', '.join(grey)}." if grey else ""
    return Table(["AUC", report["model"], *(one["name"] for one in others)], rows, caption)


def ranking(reports: Sequence[dict]) -> Table:
    """The mean figures of several models on the same films, best AUC first."""
    rows = [
        [
            report["model"],
            *(struck(report, interval(report["macro"][name])) for name in ("auc", "ap", "f1", "ece")),
            number(report["baseline"]["always_no_accuracy"]),
        ]
        for report in sorted(reports, key=lambda report: -(report["macro"]["auc"]["value"] or 0))
    ]
    return Table(["Model", "Macro AUC", "AP", "F1", "ECE", "Accuracy of always no"], rows, source(reports[0]))


def strongest(report: dict, count: int = 4) -> list[str]:
    """The findings with the most positives that have an AUC: the least noisy curves to begin with."""
    figures = report["per_class"]
    defined = [name for name in FINDINGS if figures[name]["auc"]["value"] is not None]
    return sorted(defined, key=lambda name: -figures[name]["positives"])[:count]
