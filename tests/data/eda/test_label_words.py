"""Films some of whose labels are unknown: in words, and in every number about the table, counted by hand."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from unknown_labels import hide_labels

from xlite.data.eda import captions, charts, export, history, part_sentences, ranking, statistics, write_eda
from xlite.data.eda.batch_composition import measure_batches
from xlite.data.eda.claims import check_claims, class_weights
from xlite.data.eda.coded import CodedFilms
from xlite.data.eda.editions import compare_editions
from xlite.data.eda.filters import Filter, Selection, parts_of
from xlite.data.eda.label_words import label_words, unknown_words
from xlite.data.eda.partitions import balance, known_of_parts, locate, partitions, widest_shift
from xlite.data.eda.sections.editions import editions
from xlite.data.eda.sections.films import tallies
from xlite.data.eda.statistics import CLASSES, Meetings
from xlite.data.eda.survey import survey
from xlite.data.folder import NihFolder
from xlite.data.joined import join
from xlite.findings import FINDINGS, NO_FINDING, spoken

HIDDEN = {"1_1": ("Mass",), "4_0": ("Mass",), "3_0": ("Edema",)}
MASS, EDEMA, HERNIA = map(FINDINGS.index, ("Mass", "Edema", "Hernia"))
EVERYTHING = np.ones(8, dtype=bool)


@pytest.fixture
def part(hand: NihFolder) -> NihFolder:
    """The hand-made folder: Mass is unknown of two films, Edema of one, and Hernia is not labelled."""
    stems = hand.table["stem"].tolist()
    return hide_labels(hand.root, {stem: (*HIDDEN.get(stem, ()), "Hernia") for stem in stems})


@pytest.fixture
def films(part: NihFolder) -> CodedFilms:
    return CodedFilms.code(part.table, part.boxes(), parts_of(part))


def test_a_film_in_words():
    label = np.zeros(14, np.float32)
    assert label_words(label) == "No finding"
    label[[MASS, HERNIA]] = 1, np.nan
    assert label_words(label) == "Mass; unknown: Hernia"
    labelled = FINDINGS[:-1]
    assert label_words(label, labelled) == "Mass"
    label[[MASS, EDEMA]] = 0, np.nan
    assert label_words(label, labelled) == "No known finding; unknown: Edema"
    assert label_words(np.full(14, np.nan), labelled) == "Not labelled"
    assert label_words(np.full(14, np.nan), ()) == "Not labelled"


def test_a_folder_in_words(part: NihFolder, films: CodedFilms):
    assert unknown_words(np.zeros((3, 14)), FINDINGS) == []
    said = ["Not labelled here: Hernia.", "Of the other labels 2.9% are unknown"]  # 3 of 8 * 13
    found = unknown_words(statistics.label_array(part.table), part.labelled)
    assert [one[: len(start)] for one, start in zip(found, said, strict=True)] == said
    assert captions.unknown_sentence(films, EVERYTHING) == " ".join(found)
    first = np.arange(8) == 0  # of which all but Hernia is known
    assert captions.unknown_sentence(films, first) == "Not labelled here: Hernia."
    assert unknown_words(np.full((2, 14), np.nan), ()) == [
        f"Not labelled here: {', '.join(map(spoken, FINDINGS))}."
    ]


def test_counts_and_facts(part: NihFolder, films: CodedFilms):
    counts = statistics.finding_counts(part.table)
    named = counts.loc[[NO_FINDING, "Mass", "Nodule", "Edema", "Hernia"]]
    assert named["films"].tolist() == [2, 2, 2, 2, 0]
    assert named["known"].tolist() == [5, 6, 8, 7, 0]
    assert named["share"].tolist()[:4] == [2 / 5, 2 / 6, 2 / 8, 2 / 7] and np.isnan(named["share"].iloc[4])
    assert statistics.not_labelled(counts) == ["Hernia"]
    assert "Hernia" not in statistics.imbalance(counts).absent
    assert statistics.findings_per_film(part.table).to_dict() == {0: 5, 1: 1, 2: 1, 3: 1}
    assert statistics.findings_per_patient(part.table).to_dict() == {0: 2, 1: 1, 2: 1, 3: 1}
    facts = statistics.facts(part.table)
    assert (facts.several_findings, facts.with_finding, facts.undecided) == (2, 3, 3)
    assert facts.without_share == pytest.approx(2 / 5)
    assert films.facts(EVERYTHING) == facts
    assert captions.headline(facts)["Without finding"] == "40.0%"
    assert captions.headline(films.facts(np.arange(8) == 1))["Without finding"] == "unknown"


def test_shares_are_of_the_films_all_of_whose_labels_are_known(hand: NihFolder, tmp_path: Path):
    part = hide_labels(hand.root, {"1_0": ("Edema",)})  # Mass and Nodule are known to be there
    facts = statistics.facts(part.table)
    assert (facts.several_findings, facts.several_decided, facts.decided) == (2, 1, 7)
    assert CodedFilms.code(part.table, part.boxes(), {}).facts(EVERYTHING) == facts
    assert list(captions.headline(facts).values())[2:] == ["57.1%", "14.3%"]
    assert statistics.finding_counts(part.table).loc[NO_FINDING, ["films", "known"]].tolist() == [4, 7]


def test_of_folders_that_label_different_findings_nobody_knows_what_is_without(
    hand: NihFolder, tmp_path: Path
):
    shutil.copytree(hand.root, tmp_path / "other")
    stems = hand.table["stem"]
    others = [tuple(one for one in FINDINGS if one != name) for name in ("Mass", "Edema")]
    first = hide_labels(hand.root, dict.fromkeys(stems, others[0]))
    both = join([first, hide_labels(tmp_path / "other", dict.fromkeys(stems, others[1]))])
    films = CodedFilms.code(both.table, both.boxes(), {})
    words = captions.headline(films.facts(np.ones(16, bool)))
    assert (words["Without finding"], words["Several findings"]) == ("unknown", "unknown")
    bar = charts.findings(Selection(films, Filter())).rows[0].marks[0]
    assert (bar.say, bar.text) == ("No finding: not known of any film", "unknown")
    assert [claim.verdict for claim in check_claims(both.table, None)][1:3] == ["cannot be said"] * 2


def test_findings_together_by_chance_of_the_films_of_which_both_are_known(part: NihFolder):
    together = statistics.cooccurrence(part.table)
    assert together.loc["Mass", ["Mass", "Nodule", "Edema", "Hernia"]].tolist() == [2, 2, 1, 0]
    lifts = statistics.lift(together, Meetings.of(statistics.label_array(part.table)))
    assert lifts.loc["Mass", "Nodule"] == 2 * 6 / (2 * 2)
    assert lifts.loc["Edema", "Mass"] == 1 * 5 / (2 * 2)
    assert np.isnan(lifts.loc["Hernia"]).all()


def test_prevalence_by_view(part: NihFolder, films: CodedFilms):
    by_view = statistics.prevalence_by(part.table, part.table["view"])
    assert by_view["films"].to_dict() == {"AP": 4, "PA": 4}
    assert by_view["Mass"].to_dict() == {"AP": 1 / 3, "PA": 1 / 3}
    assert by_view[NO_FINDING].to_dict() == {"AP": 1 / 3, "PA": 1 / 2}
    assert by_view["Hernia"].isna().all()
    coded = films.prevalence(EVERYTHING, films.views)
    np.testing.assert_allclose(coded.to_numpy(float), by_view.to_numpy(float))
    assert captions.prevalence_table([coded]).loc["Hernia"].tolist() == ["", ""]


def test_from_film_to_film_only_what_is_known_of_both(part: NihFolder, films: CodedFilms):
    changes = statistics.follow_ups(part.table).loc[["Mass", "Nodule", "Edema", NO_FINDING]]
    assert changes["had"].tolist() == [0, 1, 0, 0]
    assert changes["lacked"].tolist() == [1, 2, 2, 0]
    assert changes["appears"].tolist()[:3] == [1, 0.5, 0]
    table = history.timeline(films, np.array([0, 1, 2]))
    assert table["Findings"].tolist() == ["Mass, Nodule", "No known finding; unknown: Mass", "No finding"]
    assert (table["New"].tolist(), table["Gone"].tolist()) == (["", "", ""], ["", "Nodule", ""])


def test_claims_that_have_nothing_to_go_by_cannot_be_said(part: NihFolder, hand: NihFolder):
    claims = check_claims(part.table, None)
    assert [claim.computed for claim in claims[1:4]] == [
        "40.00% of the films",
        "40.00% of the films; 66.67% of those only that have a finding",
        "Hernia not labelled here, Edema 28.57%",
    ]
    assert [claim.verdict for claim in claims[1:4]] == ["does not hold", "holds", "cannot be said"]
    weights = class_weights(statistics.finding_counts(part.table))
    assert weights.to_dict() == pytest.approx({"Mass": 6 / 28, "Nodule": 8 / 28, "Edema": 7 / 28})
    nothing = hand.table.assign(**dict.fromkeys(FINDINGS, np.nan))
    assert [claim.verdict for claim in check_claims(nothing, None)] == ["cannot be said"] * 6


def test_several_findings_are_counted_among_films_whose_labels_are_known(part: NihFolder, hand: NihFolder):
    said = tallies(survey(part), {"amounts": "a.png"})
    assert "2 films of 5 all of whose labels are known (40.00%) have two or more" in said
    object.__setattr__(hand, "table", hand.table.assign(**dict.fromkeys(FINDINGS, np.nan)))
    assert "How many have two or more is unknown" in tallies(survey(hand), {"amounts": "a.png"})


def test_parts(part: NihFolder):
    rows = locate(part.table, partitions(part))["official"]
    counts, told = balance(part.table, rows), known_of_parts(part.table, rows)
    assert counts["Mass"].tolist() == [1, 1] and told["Mass"].tolist() == [3, 3]
    assert told[NO_FINDING].tolist() == [3, 2] and told["Hernia"].tolist() == [0, 0]
    shown = part_sentences.balance_table(counts, told, CLASSES).set_index("")
    assert shown.loc["Mass"].tolist() == ["1  (33.33%) of 3 known"] * 2
    assert shown.loc["Nodule"].tolist() == ["1  (25.00%)"] * 2
    assert shown.loc["Hernia"].tolist() == ["not labelled here"] * 2
    assert widest_shift(counts, told) == ("Edema", 0.25, 1 / 3)


def test_two_tables_differ_in_what_both_know(hand: NihFolder, part: NihFolder):
    before = hand.table  # as it was read before labels were hidden
    path = hand.root / "Data_Entry_2017_v2020.csv"
    found = compare_editions(before, path)
    assert found.label_sets == 0
    assert found.findings.loc["Mass"].tolist() == [3, 2, 0, 0, 2]
    assert found.findings.loc["Hernia"].tolist() == [0, 0, 0, 0, 8]
    assert part_sentences.editions_table(found).set_index("Finding").loc["Mass", "Unknown"] == 2
    path.with_name("Data_Entry_2017.csv").write_text(path.read_text().replace("Mass|Nodule", "Nodule"))
    said = survey(part)
    assert said.difference is not None and said.difference.label_sets == 1
    assert "| finding | 2020 | there | only here | only there | unknown in one |" in editions(said)


def test_batches_of_films_some_of_whose_labels_are_unknown():
    labels = np.zeros((40, 14), dtype=np.float32)
    labels[:20, 0] = labels[15:24, 1] = 1
    labels[20:30, 0] = labels[:, 13] = np.nan
    measured = measure_batches(labels, size=8, seed=0, drawn=30)
    common = measured.classes.loc["Atelectasis"]
    assert common["weight"] == pytest.approx(30 / (14 * 20))
    whole = measure_batches(np.nan_to_num(labels), size=8, seed=0, drawn=30).classes.loc["Atelectasis"]
    assert (common["in_batch"], common["balanced"]) == (whole["in_batch"], whole["balanced"])
    assert common["in_batch"] / 8 < common["pull"] < 1  # of the films drawn that are known
    assert measured.classes.loc["Hernia", ["weight", "pull"]].isna().all()


def test_charts(films: CodedFilms):
    chart = charts.findings(Selection(films, Filter()))
    assert [row.label for row in chart.rows][:4] == ["No finding", "Mass", "Nodule", "Edema"]
    assert "Hernia" not in [row.label for row in chart.rows] and len(chart.rows) == 14
    assert [row.marks[0].say for row in chart.rows[:3]] == [
        "No finding: 2 films, 40.0% of 5 films of which it is known",
        "Mass: 2 films, 33.3% of 6 films of which it is known",
        "Nodule: 2 films, 25.0%",
    ]
    assert charts.amounts(Selection(films, Filter())).note == "Of a film those count that are known."
    seen = charts.prevalence(Selection(films, Filter()))
    assert len(seen.rows) == 13 and [mark.text for mark in seen.rows[0].marks] == ["33.3%", "33.3%"]
    for by in ("lift", "films"):
        matrix = charts.cooccurrence(Selection(films, Filter()), by)
        cell = matrix.rows[MASS].marks[HERNIA]
        assert (cell.say, cell.text, cell.tone) == ("Mass with Hernia: not labelled here", "", "none")
    drawn = [one(Selection(films, Filter())).plain() for tab in charts.TABS.values() for one in tab]
    json.dumps(drawn, allow_nan=False)


@pytest.mark.parametrize(("has", "rows"), [(("Mass",), [0, 5]), ((NO_FINDING,), [2, 7])])
def test_unknown_is_neither_asked_for_by_a_finding_nor_by_none(films: CodedFilms, has: tuple, rows: list):
    assert Selection(films, Filter(has=has)).rows().tolist() == rows


def test_films_to_take_along(films: CodedFilms):
    assert export.as_csv(films, np.array([0, 1])).splitlines() == [
        "image,patient,follow_up,age,sex,view,findings,unknown",
        "1_0.png,1,0,17,M,PA,Mass|Nodule,Hernia",
        "1_1.png,1,1,18,M,AP,No Finding,Mass|Hernia",
    ]
    assert export.rows_table(films, np.array([4]))["Findings"].tolist() == [
        "No known finding; unknown: Edema"
    ]
    patients = export.patients_table(films, np.array([0, 1, 4, 7])).set_index("Patient")
    assert patients["Findings on the chosen films"].to_dict() == {
        **{"1": "Mass, Nodule", "3": "No known finding", "5": "No finding"}
    }


def test_what_a_model_said_is_held_against_known_labels_alone(films: CodedFilms):
    probs = np.full((8, 14), 0.1, np.float32)
    probs[:, MASS], probs[:, HERNIA] = 0.9, 0.99
    judged = ranking.ModelProbabilities("demo", probs, ("test",))
    rows = np.arange(8)
    by = ranking.values(films, rows, "disagreement", judged, "Mass")
    assert by == pytest.approx([0.9, 0.1, 0.9, 0.9, 0.9, 0.9, 0.1, 0.9])
    loss = ranking.values(films, rows, "loss", judged, "Mass")
    assert loss is not None and loss[1] == pytest.approx(-np.log(0.9))
    assert loss[2] == pytest.approx(-(12 * np.log(0.9) + np.log(0.1)) / 13, rel=1e-5)
    assert captions.said_of_film(films, 2, judged, "disagreement", "Mass") == "Mass 90.0%, not labelled"
    said = captions.order_sentence("loss", judged, rows, films)
    assert "mean cross entropy over the findings whose label is known." in said
    table = captions.probabilities_table(films, 1, {"demo": judged})
    assert table is not None
    assert table.set_index("Finding")["Label"][["Mass", "Hernia", "Edema"]].tolist() == [
        *("unknown", "not labelled here", "")
    ]
    nothing = np.full((1, 14), np.nan)
    assert np.isnan(ranking.disagreement(nothing, probs[:1])) and np.isnan(ranking.loss(nothing, probs[:1]))


def test_captions(part: NihFolder):
    film = part.table.iloc[1]
    words = "No known finding; unknown: Mass"
    assert captions.film_caption(film, part.labelled) == f"**{words}**  \nAP, M, 18 y  \n1_1"
    assert captions.film_alt(film, 0, part.labelled) == f"Chest X-ray 1_1, labelled {words}"


@pytest.mark.slow
@pytest.mark.filterwarnings("error")
def test_the_report(part: NihFolder, tmp_path: Path):
    report = write_eda(part.root, tmp_path / "EDA.md")
    text = report.path.read_text()
    assert (
        "## Labels that are not known\n\nNot labelled here: Hernia. Of the other labels 2.9% are unk" in text
    )
    assert "| finding | films | share | patients | alone | of films known |" in text
    assert "| Mass | 2 | 33.33% | 2 | 0.00% | 6 |" in text
    assert "| Mass | 1 (33.33% of 3 known) | 1 (33.33% of 3 known) |" in text
    assert "| Hernia |" not in text and "nan" not in text
    assert "3 films are followed by another one of the same patient" in text
    found = json.loads(json.dumps(report.as_dict(), allow_nan=False))
    assert found["not_labelled"] == ["Hernia"] and found["undecided"] == 3
    assert found["findings"]["Hernia"] == {
        "films": 0, "share": None, "patients": 0, "alone": None, "known": 0
    }  # fmt: skip
    assert found["known_of_parts"]["official"]["test"]["Mass"] == 3


@pytest.mark.slow
@pytest.mark.filterwarnings("error")
def test_the_report_of_a_folder_of_which_no_film_has_all_labels(hand: NihFolder, tmp_path: Path):
    stems = hand.table["stem"].tolist()
    hide_labels(hand.root, {stem: (("Mass", "Edema")[row % 2],) for row, stem in enumerate(stems)})
    text = write_eda(hand.root, tmp_path / "EDA.md").path.read_text()
    assert "| No Finding | 0 |  | 0 |  | 0 |" in text and "nan" not in text
    assert "0.0:1 with No Finding" not in text and "No Finding 0.0 times" not in text


@pytest.mark.slow
@pytest.mark.filterwarnings("error")
def test_the_report_of_a_folder_without_any_label(hand: NihFolder, tmp_path: Path):
    hide_labels(hand.root, dict.fromkeys(hand.table["stem"], FINDINGS))
    report = write_eda(hand.root, tmp_path / "EDA.md")
    assert "Not labelled here: Atelectasis" in report.path.read_text()
    json.dumps(report.as_dict(), allow_nan=False)
