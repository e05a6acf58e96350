"""The runs that documents speak of, from docs/measured/: adds an arm to a study, and makes its tables.

    python docs/arms.py STUDY ARM RUN...

takes what several runs with different seeds left in their folders. docs/measured/README.md says what lies
where. Of real films the repository has names alone: their labels are rows of NIH's table.
"""

import argparse
import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from xlite.data.eda.markdown import table
from xlite.data.predictions import Predictions, read_averaged, read_predictions, write_predictions
from xlite.errors import DataError, XliteError
from xlite.evaluation.compare import compare_on
from xlite.evaluation.films import read_labels
from xlite.evaluation.report import Report
from xlite.findings import FINDINGS
from xlite.metrics.bootstrap import RESAMPLES, RESAMPLING_SEED, Resamples
from xlite.metrics.finding_estimates import PatientCounts, fixed_mean_of, mean_estimate
from xlite.metrics.per_finding import auc_per_class
from xlite.runs.run import Run
from xlite.text import difference as text_of_difference
from xlite.text import spread

MEASURED = Path(__file__).resolve().parent / "measured"
RUNS = MEASURED / "runs.csv"
COLUMNS = ["study", "arm", "seed", "split", "labels", "val_auc", "test_auc"]


@dataclass(frozen=True)
class Arm:
    """What the runs of an arm start from and learn from, and whether a teacher of theirs knows test films."""

    starts: str
    learns: str
    contaminated: bool = False


@dataclass(frozen=True)
class Study:
    """Arms on one split: what each is, its runs, and its averaged predictions for the test films.

    real: whether these are NIH's, so that their labels do not lie here.
    """

    name: str
    about: str
    arms: dict[str, Arm]
    pairs: list[tuple[str, str]]
    real: bool

    @classmethod
    def read(cls, name: str) -> "Study":
        """The study of that name in docs/measured."""
        described = json.loads((MEASURED / name / "study.json").read_text(encoding="utf-8"))
        arms = {arm: Arm(**facts) for arm, facts in described["arms"].items()}
        pairs = [(a, b) for a, b in described["pairs"]]
        return cls(name, described["about"], arms, pairs, described["real"])

    @property
    def runs(self) -> pd.DataFrame:
        """A row a run."""
        every = pd.read_csv(RUNS)
        return every[every["study"] == self.name]

    def films(self, nih: pd.DataFrame | None = None) -> pd.DataFrame:
        """The test films by stem, with patient and 14 labels; of real ones NIH's rows."""
        if not self.real:
            return read_labels(MEASURED / self.name / "labels.csv.gz")
        assert nih is not None, f"the films of {self.name} are real: give NIH's table"
        return nih.loc[self.averaged(self.measured()[0]).stems]

    def clean(self, films: pd.DataFrame) -> pd.DataFrame | None:
        """Those of them whose patients no teacher of an arm knows; None if no teacher knows any."""
        seen = MEASURED / self.name / "seen.txt"
        return films.drop(seen.read_text(encoding="utf-8").split()) if seen.is_file() else None

    def measured(self) -> list[str]:
        """The arms that have runs."""
        return [arm for arm in self.arms if arm in set(self.runs["arm"])]

    def averaged(self, arm: str) -> Predictions:
        """The mean of an arm's predictions."""
        return read_predictions(MEASURED / self.name / f"{arm}.csv.gz")


def studies() -> list[Study]:
    """All studies."""
    return [Study.read(path.parent.name) for path in sorted(MEASURED.glob("*/study.json"))]


def tables(study: Study, nih: pd.DataFrame | None = None) -> str:
    """What a study gave: a sentence on its films, a table of arms and one of paired differences.

    nih: NIH's table by stem, for a study of real films.
    """
    if not study.measured():
        return f"{study.about} Not measured yet: {', '.join(study.arms)}."
    [(split, labels)] = set(study.runs[["split", "labels"]].itertuples(index=False, name=None))
    films = study.films(nih)
    clean = study.clean(films)
    said = (
        f"{study.about} Split `{split}`, {labels} labels: {len(films):,} test films of "
        f"{films['patient'].nunique():,} patients. Mean AUC of 14 findings: of each run, mean and "
        "standard deviation over the seeds; of the averaged probabilities of the arm's runs, with the 95 % "
        f"interval from {RESAMPLES:,} resamples of patients, seed {RESAMPLING_SEED}, if they bear one."
    )
    if clean is not None:
        said += (
            f" Struck through: a teacher of the arm knows the patients of {len(films) - len(clean)} "
            f"test films; the last column has the other {len(clean)} films, of "
            f"{clean['patient'].nunique()} patients."
        )
    return "\n\n".join([said, _arms(study, films, clean), *_pairs(study, films, clean)])


def _arms(study: Study, films: pd.DataFrame, clean: pd.DataFrame | None) -> str:
    header = ["arm", "starts from", "learns from", "runs", "val", "test", "averaged, test"]
    rows = [_row(study, arm, films, clean) for arm in study.arms]
    return table([*header, "averaged, clean films"] if clean is not None else header, rows)


def _row(study: Study, arm: str, films: pd.DataFrame, clean: pd.DataFrame | None) -> list[str]:
    described, runs = study.arms[arm], study.runs[study.runs["arm"] == arm]
    first = [arm, described.starts, described.learns, str(len(runs))]
    if runs.empty:
        return [*first[:-1], "", "not measured", "", "", *([""] if clean is not None else [])]
    val, test = (
        spread(runs[key].mean(), runs[key].std() if len(runs) > 1 else None)
        for key in ("val_auc", "test_auc")
    )
    pattern = mark(study, arm)
    cells = [val, pattern.format(test), pattern.format(auc(study.averaged(arm), films))]
    return [*first, *cells, *([auc(study.averaged(arm), clean)] if clean is not None else [])]


def _pairs(study: Study, films: pd.DataFrame, clean: pd.DataFrame | None) -> list[str]:
    measured = study.measured()
    there = [(a, b) for a, b in study.pairs if a in measured and b in measured]
    if not there:
        return []
    header = ["difference of mean AUC", "value", "p", "findings"]
    rows = []
    for a, b in there:
        answers = study.averaged(a), study.averaged(b)
        cells = difference(films, answers, (a, b), mark(study, a, b))
        rows.append([f"{a} − {b}", *cells])
        if clean is not None:
            rows[-1] += difference(clean, answers, (a, b))
    if clean is not None:
        header += ["clean films alone", "p", "findings"]
    return [
        "Paired on the same test films, the averaged probabilities of two arms, both on the same resamples "
        "and the findings that all of these have, each pair a test of its own:",
        table(header, rows),
    ]


def mark(study: Study, *arms: str) -> str:
    """How a metric of those arms on all test films is written: struck through if a teacher knows some."""
    return "~~{}~~" if any(study.arms[arm].contaminated for arm in arms) else "{}"


def auc(answers: Predictions, films: pd.DataFrame) -> str:
    """Mean AUC with its interval on those of the films that the answers cover."""
    rows = [row for row, stem in enumerate(answers.stems) if stem in films.index]
    films = films.loc[[answers.stems[row] for row in rows]]
    resamples = Resamples(films["patient"].to_numpy())
    labels, probs = films[list(FINDINGS)].to_numpy(), answers.probs[rows]
    counts = PatientCounts.per_finding(labels, labels > 0, resamples.owner)
    auc = auc_per_class(labels, probs)
    return str(mean_estimate(auc, fixed_mean_of("auc", auc, resamples.auc(labels, probs), counts)))


def difference(
    films: pd.DataFrame, answers: tuple[Predictions, Predictions], names: tuple[str, str], pattern: str = "{}"
) -> list[str]:
    """The paired difference of mean AUC on the films, and its p."""
    found = compare_on(films, answers, names, "docs/measured")
    gap = found.difference
    assert gap.value is not None and gap.low is not None and gap.high is not None
    text = text_of_difference(gap.value, gap.low, gap.high)
    p = f"{found.p:.3f}" + (", a tie" if found.tie else "")
    return [pattern.format(text), p, str(found.findings)]


def add(study: str, arm: str, folders: Sequence[Path]) -> None:
    """Writes an arm's files from its runs' folders, in the place of what it had. Raises DataError."""
    described = Study.read(study)
    if arm not in described.arms:
        raise DataError(f"{study}/study.json describes no arm {arm!r}; say there what it is first")
    out, rows = MEASURED / study, [_run(study, arm, folder) for folder in folders]
    every = pd.read_csv(RUNS)
    rest = every[(every["study"] != study) | (every["arm"] != arm)]
    there = [*rest[rest["study"] == study].to_dict("records"), *rows]
    judged_on = {f"{row['split']} with {row['labels']} labels" for row in there}
    if len(judged_on) > 1:
        raise DataError(f"the runs of {study} are judged on several: {', '.join(sorted(judged_on))}")
    mean = read_averaged(",".join(str(folder / "evaluation/test/predictions.csv") for folder in folders))
    write_predictions(out / f"{arm}.csv.gz", mean.names, mean.probs)
    if not described.real:
        films = (folders[0] / "evaluation/test/labels.csv").read_bytes()
        (out / "labels.csv.gz").write_bytes(gzip.compress(films, mtime=0))
    both = pd.concat([rest, pd.DataFrame(rows, columns=COLUMNS)]).sort_values(["study", "arm", "seed"])
    both.to_csv(RUNS, index=False, lineterminator="\n")


def _run(study: str, arm: str, folder: Path) -> dict[str, object]:
    report = Report.model_validate_json((folder / "evaluation/test/metrics.json").read_bytes())
    val, auc = pd.read_csv(folder / "metrics.csv")["val_auc"].max(), report.macro.auc.value
    return {
        "study": study,
        "arm": arm,
        "seed": Run(folder).config().seed,
        "split": report.split.id,
        "labels": report.split.label_version,
        "val_auc": round(val, 6),
        "test_auc": None if auc is None else round(auc, 6),
    }


def main() -> None:
    """Adds an arm."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("study", help="folder of docs/measured")
    parser.add_argument("arm", help="as its study.json calls it")
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN", help="folders of finished runs")
    given = parser.parse_args()
    try:
        add(given.study, given.arm, given.runs)
    except (XliteError, OSError) as error:
        parser.error(str(error))
    print(f"{given.arm}: {len(given.runs)} runs; now run `python docs/generate.py --tables FOLDER`")


if __name__ == "__main__":
    main()
