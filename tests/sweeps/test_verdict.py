"""What is said of a study that has ended: who was chosen, who ties, who could not be compared, and why."""

import pytest

from xlite.sweeps.leaderboard import Configuration, Optimism
from xlite.sweeps.verdict import verdict


def row(name: str, tie: bool | None = None, val: float = 0.9, size: float = 6.0, **more) -> Configuration:
    facts = {"runs": [f"{name}0"], "seeds": 1, "tie": tie, "model_size_mb": size, **more}
    return Configuration(values={"backbone": name}, val_auc=val, **facts)


def away(name: str, **more) -> Configuration:
    """A configuration whose run was trained in another home."""
    return row(name, absent={f"{name}0": "two:/home"}, **more)


def assert_says(text: str, *parts: str) -> None:
    assert [part for part in parts if part not in text] == [], text


def test_the_only_configuration() -> None:
    assert_says(verdict("s", [row("a", val=0.8)], 0), "only", "0.8000 (1 seed)")


def test_the_best_of_several_seeds() -> None:
    said = verdict("s", [row("a", val=0.81, seeds=3, val_sd=0.01), row("b", False)], 0)
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
    assert_says(verdict("s", rows, winner), "A tie", *parts)


def test_those_that_were_not_compared_are_named_with_their_place() -> None:
    said = verdict("s", [row("a"), away("b"), away("c"), row("d", False)], 0)
    assert_says(said, "a, validation AUC 0.9000 (1 seed)", "Of the 1 compared", "2 were not", "b0, c0 are")
    assert_says(said, "two:/home", "`xlite sweep resume s`")
    said = verdict("s", [row("a"), row("b", True), away("c"), row("d", False)], 0)
    assert_says(said, "1 of the 2 others compared cannot", "not lighter", "1 was not", "of c0 are")


def test_many_runs_elsewhere_are_counted_and_not_all_named() -> None:
    said = verdict("s", [row("a"), *(away(name) for name in "bcdef"), row("g", False)], 0)
    assert_says(said, "5 were not", "b0, c0, d0 and 2 more")


def test_there_is_no_winner_if_the_first_cannot_be_compared() -> None:
    said = verdict("s", [away("a"), row("b")], None)
    assert_says(said, "No winner", "a, validation AUC 0.9000 (1 seed)", "a0", "two:/home", "sweep resume s")


def test_too_few_films_are_told() -> None:
    assert_says(verdict("s", [row("a"), row("b")], 0), "a, validation", "None was compared", "too few")


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
    assert verdict("s", rows, 0, optimism) == f"{verdict('s', rows, 0)} {words}".rstrip()
