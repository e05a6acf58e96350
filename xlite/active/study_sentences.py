"""What a study of selecting films came to, in words, tables and files."""

from pathlib import Path

from xlite.active import Strategy
from xlite.active.study_report import Arm, SelectStudy
from xlite.metrics.estimate import Estimate
from xlite.report.document import Block, Heading, Table, Text
from xlite.report.typed_files import write_typed
from xlite.text import counted

REPORT_FILE, FACTS_FILE = "SELECT_STUDY.md", "select_study.json"
_TRAINED = {
    "head": "logistic regressions on the features of {}, which are not trained",
    "run": "whole runs with the settings of {}, each from the same start",
}


def study_blocks(found: SelectStudy) -> tuple[str, list[Block]]:
    """Title and blocks of the whole report."""
    blocks: list[Block] = [
        *(Text(said) for said in (about(found), *sentences(found))),
        Heading("Films needed"),
        needed_table(found),
        Heading("Round by round"),
        rounds_table(found),
    ]
    return f"Choosing films to label in {found.data}", blocks


def about(found: SelectStudy) -> str:
    """What was done, in one paragraph."""
    first = "by each strategy itself, with the model's own answers" if found.own_start else "at random"
    unit = "films of whole patients" if found.whole_patients else "films"
    when = f"in each of {found.rounds} rounds" if found.rounds > 1 else "in one round"
    knows = (
        f" The model knows {found.pool_known:,} of the pool's films or their patients and "
        f"{found.test_known:,} of those that judge, so its AUCs flatter."
        if found.pool_known or found.test_known
        else ""
    )
    return (
        f"{found.data}, split {found.split}: {counted(found.pool, 'film')} of "
        f"{counted(found.pool_patients, 'patient')} are the pool, {found.test:,} of {found.test_patients:,} "
        f"judge. First {found.start} {unit}, chosen {first}, then {found.add} more "
        f"{when}; {counted(found.seeds, 'seed')}, each with its own four fifths of the pool's "
        f"patients. Trained: {_TRAINED[found.train].format(found.model)}. Mean AUC of "
        f"{counted(len(found.findings), 'finding')}; {found.whole:.3f} with the whole pool. Intervals by "
        f"{found.bootstrap.resamples:,} resamples of the test patients and the seeds.{knows}"
    )


def sentences(found: SelectStudy) -> list[str]:
    """Which strategies did better or worse than chance, after the first round and over all of them."""
    said = []
    for place, when in ((1, "After the first round"), (found.rounds, "After the last round")):
        better, worse, ties = list[str](), list[str](), list[str]()
        for name, arm in found.arms.items():
            if name != "random":
                by = f"{name} ({arm.gains[place].signed})"
                (better if _above(arm.gains[place]) else worse if _below(arm.gains[place]) else ties).append(
                    by
                )
        parts = [
            f"{what}: {', '.join(names)}"
            for what, names in (
                ("better than random", better),
                ("worse than random", worse),
                ("no difference beyond chance", ties),
            )
            if names
        ]
        said.append(f"{when}, {'; '.join(parts)}.")
        if found.rounds == 1:
            break
    return said


def needed_table(found: SelectStudy) -> Table:
    """A row a strategy: how many films it takes to the AUC that random has in the middle round."""
    rows = []
    for name, arm in found.arms.items():
        gains = [arm.gains[place].signed if arm.gains else "" for place in (1, found.rounds)]
        rows.append([name, _films(arm), *gains, f"{arm.positives[-1]:.2f}"])
    middle = found.arms["random"].films[found.target_round]
    caption = (
        f"Needed: to a mean AUC of {found.target:.3f}, which random has with {middle:.0f} films; those of "
        "the last round mean so many or more. Gains: mean AUC less that of random, on the same resamples, "
        "each by itself. Positive: the mean number of findings of a labelled film after the last round."
    )
    header = ["strategy", "films needed", "gain after round 1", f"after round {found.rounds}", "positive"]
    return Table(header, rows, caption)


def rounds_table(found: SelectStudy) -> Table:
    """A row a round, a column a strategy: the mean AUC."""
    arms: dict[Strategy, Arm] = found.arms
    rows = [
        [f"{found.arms['random'].films[place]:.0f}", *(str(arm.auc[place]) for arm in arms.values())]
        for place in range(found.rounds + 1)
    ]
    return Table(["films", *arms], rows)


def _films(arm: Arm) -> str:
    """`150 (100–250 or more)`."""
    needed, most = arm.needed, round(arm.films[-1])
    assert needed.value is not None
    value, *ends = (None if one is None else round(one) for one in (needed.value, needed.low, needed.high))
    text = f"{value}{' or more' if value == most else ''}"
    if None in ends:
        return text
    return f"{text} ({ends[0]}–{ends[1]}{' or more' if ends[1] == most else ''})"


def _above(gain: Estimate) -> bool:
    return gain.low is not None and gain.low > 0


def _below(gain: Estimate) -> bool:
    return gain.high is not None and gain.high < 0


def write_study(out: Path, found: SelectStudy) -> None:
    """Writes SELECT_STUDY.md and select_study.json into `out`. Raises DataError if that cannot be done."""
    write_typed(out, found, (FACTS_FILE, REPORT_FILE), study_blocks(found))
