"""The films of an evaluation with their labels, and those on which the model was wrong."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from demo_home import save_demo_evaluation

from xlite.data.folder import NihFolder
from xlite.errors import DataError
from xlite.evaluation.contamination.caveats import Caveat, NotListed, TrainedOn
from xlite.findings import FINDINGS
from xlite.report.judged import (
    JudgedFilms,
    Mistake,
    compare_judged,
    judged_films,
    mistake_caption,
    mistakes,
    mistakes_title,
)
from xlite.report.saved import Evaluation, read_evaluation
from xlite.report.sentences import comparison_sentence

pytestmark = pytest.mark.usefixtures("no_charts")


@pytest.fixture
def evaluation(own_home: Path) -> Evaluation:
    save_demo_evaluation(own_home)
    return read_evaluation("demo0", own_home / "checkpoints" / "demo0" / "evaluation" / "test")


def folder_of(evaluation: Evaluation, edition: str = "2020") -> NihFolder:
    """A data folder's table with the films of an evaluation, in another order."""
    table = pd.read_csv(evaluation.folder / "labels.csv", dtype={"image": str, "patient": str})
    table["stem"] = table["image"].str.removesuffix(".png")
    return NihFolder(Path("there"), table[::-1].reset_index(drop=True), edition, {})


def test_labels_are_those_saved_beside_the_predictions(evaluation: Evaluation) -> None:
    films = judged_films(evaluation, None)
    assert (len(films.stems), films.labels.shape, films.probs.shape) == (200, (200, 14), (200, 14))
    assert films.labels.sum(0).tolist() == [evaluation.report.per_class[one].positives for one in FINDINGS]
    assert len(np.unique(films.patients)) == 100 and films.names[3] == "00000003_000.png"


def test_labels_are_else_those_of_the_data_folder(evaluation: Evaluation) -> None:
    with_file, folder = judged_films(evaluation, None), folder_of(evaluation)
    (evaluation.folder / "labels.csv").unlink()
    films = judged_films(evaluation, folder)
    assert films.stems == with_file.stems and (films.labels == with_file.labels).all()
    assert films.patients.tolist() == with_file.patients.tolist()


def test_without_the_labels_that_were_judged_by_it_says_what_to_do(evaluation: Evaluation) -> None:
    folder, old = folder_of(evaluation), folder_of(evaluation, "2017")
    (evaluation.folder / "labels.csv").unlink()
    with pytest.raises(DataError, match="holds no labels: name in the sidebar the data folder"):
        judged_films(evaluation, None)
    with pytest.raises(
        DataError, match="has 200 of its 200 films .2017 labels; it was judged by 2020 labels"
    ):
        judged_films(evaluation, old)
    few = NihFolder(folder.root, folder.table[:150], "2020", {})
    with pytest.raises(DataError, match="has 150 of its 200 films"):
        judged_films(evaluation, few)
    other = folder.table.assign(Mass=1 - folder.table["Mass"])
    with pytest.raises(DataError, match="are not those found now: evaluate it again"):
        judged_films(evaluation, NihFolder(folder.root, other, "2020", {}))


def saved(home: Path, name: str, caveats: Sequence[Caveat] = ()) -> Evaluation:
    save_demo_evaluation(home, name, caveats=caveats)
    return read_evaluation(name, home / "checkpoints" / name / "evaluation" / "test")


def test_two_judged_models_are_compared_with_the_labels_of_either_or_of_the_data_folder(
    own_home: Path,
) -> None:
    one, two = saved(own_home, "one"), saved(own_home, "two")
    folder, found = folder_of(one), compare_judged(one, two, None)
    assert (found.difference.value, found.tie, found.images, found.patients) == (0, True, 200, 100)
    (one.folder / "labels.csv").unlink()
    assert compare_judged(one, two, None) == found
    (two.folder / "labels.csv").unlink()
    assert compare_judged(one, two, folder) == found
    with pytest.raises(DataError, match="holds no labels: name in the sidebar the data folder"):
        compare_judged(one, two, None)


@pytest.mark.slow
def test_a_comparison_says_how_many_films_each_of_the_two_knows(own_home: Path) -> None:
    known = TrainedOn(films=200, known=20, stems=frozenset({"00000001_000"}))
    found = compare_judged(saved(own_home, "one", [NotListed()]), saved(own_home, "two", [known]), None)
    assert (found.known, found.untold, found.second_known, found.second_untold) == (0, True, 20, False)
    assert comparison_sentence(found, ("one", "two")).endswith(
        ". But whether one, or its teacher, knows any of these films is not known. But two, or its teacher, "
        "knows 20 of these films"
    )


def films_by_hand() -> JudgedFilms:
    """Six films: three with Mass, of which one has Edema too."""
    labels, probs = np.zeros((6, 14), bool), np.zeros((6, 14))
    mass, edema = FINDINGS.index("Mass"), FINDINGS.index("Edema")
    labels[:3, mass], labels[1, edema] = True, True
    probs[:, mass] = [0.9, 0.01, 0.3, 0.95, 0.5, 0.1]
    stems = [f"film_{number}" for number in range(6)]
    return JudgedFilms([f"{stem}.png" for stem in stems], stems, np.array(list("aabbcc")), labels, probs)


def test_the_most_confident_mistakes_come_first() -> None:
    films = films_by_hand()
    missed = mistakes(films, "Mass", 0.4, "missed", 5)
    assert missed == [
        Mistake("film_1.png", "film_1", "a", 0.01, pytest.approx(-np.log(0.01)), ("Mass", "Edema")),
        Mistake("film_2.png", "film_2", "b", 0.3, pytest.approx(-np.log(0.3)), ("Mass",)),
    ]
    alarms = mistakes(films, "Mass", 0.4, "alarm", 5)
    assert [(one.stem, one.labels) for one in alarms] == [("film_3", ()), ("film_4", ())]
    assert alarms[0].loss == pytest.approx(-np.log(0.05))
    assert [one.stem for one in mistakes(films, "Mass", 0.4, "alarm", 1)] == ["film_3"]
    assert mistakes(films, "Hernia", 0.4, "missed", 5) == []


def test_without_a_threshold_all_films_are_ranked_by_how_far_off_they_are() -> None:
    films = films_by_hand()
    assert [one.stem for one in mistakes(films, "Mass", None, "missed", 5)] == ["film_1", "film_2", "film_0"]
    assert [one.stem for one in mistakes(films, "Mass", None, "alarm", 9)] == ["film_3", "film_4", "film_5"]


def test_films_are_called_wrong_only_at_a_threshold() -> None:
    assert mistakes_title("Mass", 0.4, "missed") == (
        "**Missed**: Mass at its threshold of 40.0%, most confident first"
    )
    assert mistakes_title("Mass", 0.4, "alarm").startswith("**Called without it**: Mass at its threshold")
    assert mistakes_title("Mass", None, "missed") == "**Lowest of those with it**: Mass, no threshold"
    assert mistakes_title("Mass", None, "alarm") == "**Highest of those without it**: Mass, no threshold"


def test_a_mistake_is_told_with_what_the_label_says() -> None:
    missed, alarm = (mistakes(films_by_hand(), "Mass", 0.4, kind, 1)[0] for kind in ("missed", "alarm"))
    assert mistake_caption(missed) == "**1.0%**, labelled Mass, Edema  \nfilm_1"
    assert mistake_caption(alarm) == "**95.0%**, labelled No finding  \nfilm_3"
