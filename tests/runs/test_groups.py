"""Runs that belong together: seeds, and what differs between others."""

from known_runs import facts, judgement

from xlite.runs.groups import (
    SEEDS,
    Spread,
    difference_rows,
    differing,
    group_rows,
    grouped,
    in_groups,
)
from xlite.runs.listing import names_of

SEEDED = [
    facts("lite-s1", seed=1, best=0.70, judged=judgement(0.72)),
    facts("wide", seed=1, hidden=512, best=0.69, judged=judgement(0.71)),
    facts("lite-s2", seed=2, best=0.74, judged=judgement(0.76)),
    facts("lite-s3", seed=3, best=0.60, state="stopped"),
]


def test_seeds_of_one_configuration_have_a_mean_and_a_deviation() -> None:
    seeds, single = grouped(SEEDED, SEEDS)
    assert names_of(seeds.runs) == ["lite-s1", "lite-s2", "lite-s3"]
    assert (seeds.title, seeds.finished) == ("lite-s (seeds 1, 2, 3)", 2)
    assert (str(seeds.val), str(seeds.test)) == ("0.720 ± 0.028", "0.740 ± 0.028")
    assert (seeds.val.runs, seeds.test.runs) == (2, 2)
    assert (single.title, single.val, str(single.test)) == ("wide", Spread(0.69, None, 1), "0.710, one run")


def test_any_other_setting_makes_another_group() -> None:
    runs = [facts("a"), facts("b", lr=0.002), facts("c", data="others"), facts("d", seed=7)]
    assert [names_of(group.runs) for group in grouped(runs, SEEDS)] == [["a", "d"], ["b"], ["c"]]


def test_the_rows_of_groups() -> None:
    known = [facts("k1", seed=1, best=0.7, judged=judgement(0.9, known=3)), SEEDED[3]]
    assert group_rows(grouped([*SEEDED[:2], *known], "state")) == [
        {
            "Group": "finished",
            "Runs": "3, 3 finished",
            "Validation AUC": "0.697 ± 0.006",
            "Test AUC": "~~0.777 ± 0.107~~",
            "Names": "lite-s1, wide, k1",
        },
        {
            "Group": "stopped",
            "Runs": "1, 0 finished",
            "Validation AUC": "–",
            "Test AUC": "–",
            "Names": "lite-s3",
        },
    ]


def test_test_aucs_on_different_films_have_no_mean() -> None:
    other = facts("other", best=0.7, judged=judgement(0.8, split="official-1"))
    [row] = group_rows(grouped([SEEDED[0], other], "state"))
    assert (row["Test AUC"], row["Validation AUC"]) == ("judged on 2 splits", "0.700 ± 0.000")


def test_a_run_with_several_tags_is_in_several_groups_and_once_in_the_table() -> None:
    runs = [facts("a", tags=("x",)), facts("b"), facts("c", tags=("y", "x"))]
    assert {group.title: names_of(group.runs) for group in grouped(runs, "tag")} == {
        "x": ["a", "c"],
        "without a tag": ["b"],
        "y": ["c"],
    }
    titles, ordered = in_groups(runs, "tag")
    assert (titles, names_of(ordered)) == (["x", "x", "without a tag"], ["a", "c", "b"])
    assert in_groups(runs, None) == ([], runs)


def test_many_names_are_cut() -> None:
    [row] = group_rows(grouped([facts(f"run{number}") for number in range(9)], "backbone"))
    assert row["Names"] == "run0, run1, run2, run3, run4, run5 and 3 more"


def test_only_settings_that_differ_are_shown_and_what_is_unusual_stands_out() -> None:
    runs = [facts("a", lr=0.01), facts("b", flip=False), facts("c", teacher="x/t.csv")]
    found = differing(runs)
    assert found == {
        "Horizontal flips": ["yes", "no", "yes"],
        "Teacher": ["–", "–", "t.csv"],
        "Learning rate": ["0.01", "0.001", "0.001"],
    }
    assert difference_rows(names_of(runs), found)[0] == {
        "Setting": "Horizontal flips",
        "a": "yes",
        "b": ":orange-background[**no**]",
        "c": "yes",
    }
    assert differing([facts("a"), facts("b")]) == {}
    assert differing([]) == {}


def test_paths_are_shown_whole_where_their_last_names_are_alike() -> None:
    assert differing([facts("a", teacher="x/t.csv"), facts("b", teacher="y/t.csv")]) == {
        "Teacher": ["x/t.csv", "y/t.csv"]
    }


def test_of_values_as_common_the_first_runs_is_the_usual_one() -> None:
    rows = difference_rows(["a", "b"], {"Seed": ["1", "2"]})
    assert rows == [{"Setting": "Seed", "a": "1", "b": ":orange-background[**2**]"}]
