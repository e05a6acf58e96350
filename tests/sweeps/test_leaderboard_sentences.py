"""What is said of a leaderboard: who was chosen, who ties, who was not compared and why, who knows films."""

from pathlib import Path

import pytest

from xlite.evaluation.contamination.caveats import TeacherKnows
from xlite.evaluation.contamination.source_facts import SeenByTeacher
from xlite.report.caveat_sentences import sentence
from xlite.sweeps.leaderboard import Configuration, Joined, Leaderboard, Optimism, TeacherKnown
from xlite.sweeps.leaderboard_sentences import verdict, warnings


def board(rows: list[Configuration], winner: int | None = 0, **more) -> Leaderboard:
    """The leaderboard of a study that has ended."""
    facts = {"study": "s", "kind": "search", "split_id": "patient-42-1", "vary": ["backbone"], "ended": True}
    return Leaderboard(**{**facts, "rows": rows, "winner": winner, **more})


def row(name: str, tie: bool | None = None, val: float = 0.9, size: float = 6.0, **more) -> Configuration:
    facts = {"runs": [f"{name}0"], "seeds": 1, "tie": tie, "model_size_mb": size, **more}
    return Configuration(values={"backbone": name}, val_auc=val, **facts)


def away(name: str, **more) -> Configuration:
    """A configuration whose run was trained in another home."""
    return row(name, absent={f"{name}0": "two:/home"}, **more)


def assert_says(text: str, *parts: str) -> None:
    assert [part for part in parts if part not in text] == [], text


def test_the_only_configuration() -> None:
    assert_says(verdict(board([row("a", val=0.8)])), "only", "0.8000 (1 seed)")


def test_the_best_of_several_seeds() -> None:
    said = verdict(board([row("a", val=0.81, seeds=3, val_sd=0.01), row("b", False)]))
    assert_says(said, "a, validation AUC 0.8100 ± 0.0100 (3 seeds)", "No other one")
    assert "tie" not in said


@pytest.mark.parametrize(
    ("rows", "winner", "parts"),
    [
        ([row("a", val=0.81), row("b", True, 0.8, 3.0)], 1, ("b, validation", "a, 0.8100", "3.0 MB")),
        ([row("a"), row("b", True)], 0, ("a, validation", "the other one", "not lighter")),
        ([row("a"), *(row(name, True) for name in "bcdefg")], 0, ("none of the 6 others can", "lighter")),
        ([row("a"), *(row(name, name != "h") for name in "bcdefgh")], 0, ("6 of the 7 others cannot",)),
        ([row("a"), *(row(name, True) for name in "bcdefghij"), row("k")], 0, ("9 others compared",)),
    ],
)  # fmt: skip
def test_a_tie_counts_those_that_tie_with_the_best(
    rows: list[Configuration], winner: int, parts: tuple[str, ...]
) -> None:
    assert_says(verdict(board(rows, winner)), "A tie", *parts)


def test_those_that_were_not_compared_are_named_with_their_place() -> None:
    said = verdict(board([row("a"), away("b"), away("c"), row("d", False)]))
    assert_says(said, "a, validation AUC 0.9000 (1 seed)", "Of the 1 compared", "2 were not", "b0, c0 are")
    assert_says(said, "two:/home", "`xlite sweep resume s`")
    said = verdict(board([row("a"), row("b", True), away("c"), row("d", False)]))
    assert_says(said, "1 of the 2 others compared cannot", "not lighter", "1 was not", "of c0 are")


def test_many_runs_elsewhere_are_counted_and_not_all_named() -> None:
    said = verdict(board([row("a"), *(away(name) for name in "bcdef"), row("g", False)]))
    assert_says(said, "5 were not", "b0, c0, d0 and 2 more")


def test_there_is_no_winner_if_the_first_cannot_be_compared() -> None:
    said = verdict(board([away("a"), row("b")], None))
    assert_says(said, "No winner", "a, validation AUC 0.9000 (1 seed)", "a0", "two:/home", "sweep resume s")


def test_too_few_films_are_told() -> None:
    assert_says(verdict(board([row("a"), row("b")])), "a, validation", "None was compared", "too few")


@pytest.mark.parametrize(
    ("optimism", "words"),
    [
        (Optimism(configurations=1), ""),
        (
            Optimism(configurations=1, epochs=(8, 8)),
            "The highest validation AUC is the best of 8 epochs of each run on the same films, so it is too "
            "high.",
        ),
        (
            Optimism(configurations=3, epochs=(4, 9), of_choosing=0.0061, val_less_test=0.0123),
            "The highest validation AUC is the best of 3 configurations and of 4 to 9 epochs of each run on "
            "the same films, so it is too high: choosing among configurations adds 0.0061. The test AUC of "
            "the chosen one is 0.0123 below its validation AUC.",
        ),
        (
            Optimism(configurations=30, val_less_test=-0.002),
            "The highest validation AUC is the best of 30 configurations on the same films, so it is too "
            "high. The test AUC of the chosen one is 0.0020 above its validation AUC.",
        ),
    ],
)
def test_what_the_best_is_the_best_of_is_told(optimism: Optimism, words: str) -> None:
    rows = [row("a"), row("b", False)]
    assert verdict(board(rows, optimism=optimism)) == f"{verdict(board(rows))} {words}".rstrip()


def test_nothing_came_of_a_study_that_goes_on_or_has_no_row() -> None:
    assert (verdict(board([row("a")], None, ended=False)), verdict(board([], None))) == ("", "")


@pytest.mark.parametrize(
    ("auc", "findings", "mean"),
    [(0.71239, 14, "mean AUC 0.7124"), (0.71239, 9, "mean AUC of 9 findings 0.7124"),
     (None, 0, "mean AUC of 0 findings undefined")],
)  # fmt: skip
def test_what_came_of_cross_fitting(auc: float | None, findings: int, mean: str) -> None:
    joined = Joined(films=20, auc=auc, predictions=Path("p.csv"), known=Path("k.txt"), findings=findings)
    assert verdict(board([row("a"), row("b")], None, kind="crossfit", joined=joined)) == (
        f"The models answer for 20 films that each of them had left out: {mean}. Learn from it with "
        "--teacher p.csv --teacher-list k.txt"
    )


def test_what_a_teacher_knows_names_its_runs_if_not_all() -> None:
    seen = SeenByTeacher(split_id="s-1-1", part="test", films=3, trained=2, with_val=2, patients=2)
    caveat = TeacherKnows(teachers=(seen,), known=2)
    some, all_of_them = (TeacherKnown(caveat=caveat, runs=runs) for runs in (["b0"], ["a0", "b0"]))
    told = board([row("a"), row("b")], teachers=[some, all_of_them])
    assert warnings(told) == [f"{sentence(caveat)} (runs b0)", sentence(caveat)]
