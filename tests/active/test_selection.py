"""Which films of a folder are selected, and what is said of them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from demo_home import save_demo_model
from unknown_labels import hide_labels

from xlite.active import Strategy
from xlite.active.selection import SelectOptions, select_films
from xlite.active.strategies import entropy
from xlite.classify import Classifier
from xlite.data.folder import NihFolder
from xlite.data.split_files import load_split
from xlite.data.worklist import read_worklist
from xlite.errors import DataError
from xlite.findings import FINDINGS
from xlite.images import read_image

UNCERTAIN = SelectOptions("uncertainty", 6)


@pytest.fixture
def model(own_home: Path) -> Path:
    return save_demo_model(own_home)


@pytest.fixture
def half(tiny_folder: Path) -> NihFolder:
    """A folder of 24 films: nobody has labelled the first 12, one of the others lacks only some labels."""
    stems = sorted(NihFolder.open(tiny_folder).paths)
    return hide_labels(tiny_folder, {**dict.fromkeys(stems[:12], FINDINGS), stems[12]: FINDINGS[:13]})


@pytest.mark.slow
def test_only_films_without_labels_are_ranked(model: Path, half: NihFolder) -> None:
    stems, classifier = sorted(half.paths), Classifier.load(model)
    found = select_films(model, half.root, UNCERTAIN)
    bits = {s: entropy(classifier.predict(read_image(half.paths[s]))).mean() for s in stems[:12]}
    best = sorted(bits, key=lambda stem: -bits[stem])[:6]
    assert [Path(film.image).stem for film in found.films] == best
    np.testing.assert_allclose([film.score for film in found.films], [bits[stem] for stem in best], rtol=1e-4)
    assert (found.candidates, found.labelled, found.unreadable) == (12, 12, 0)
    assert found.patients == len(set(half.patients(best))) and found.known == ()


def test_labelled_films_are_ranked_if_asked_for(model: Path, half: NihFolder) -> None:
    found = select_films(model, half.root, replace(UNCERTAIN, budget=24, labelled_too=True))
    assert {Path(film.image).stem for film in found.films} == {*half.paths} and found.candidates == 24


def test_the_labelled_films_are_the_centres(model: Path, half: NihFolder) -> None:
    stems = sorted(half.paths)
    for copy in (5, 7):  # what looks like a labelled film is the last to be labelled
        half.paths[stems[copy]].write_bytes(half.paths[stems[20]].read_bytes())
    found = select_films(model, half.root, SelectOptions("diversity", 12))
    assert {Path(film.image).stem for film in found.films[-2:]} == {stems[5], stems[7]}
    assert found.films[-1].score == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("strategy", ["diversity", "rarity"])
def test_a_labelled_film_that_may_be_chosen_again_counts_as_a_candidate_alone(
    strategy: Strategy, model: Path, tiny_folder: Path
) -> None:
    options = SelectOptions(strategy, 24, labelled_too=True)
    known = select_films(model, tiny_folder, options)
    hide_labels(tiny_folder, dict.fromkeys(NihFolder.open(tiny_folder).paths, FINDINGS))
    assert (known.labelled, known.candidates) == (24, 24)
    assert known.films == select_films(model, tiny_folder, options).films
    assert known.films[0].score > 1e-4


@pytest.mark.slow
def test_a_film_that_cannot_be_read_is_left_out_and_counted(model: Path, half: NihFolder) -> None:
    broken = sorted(half.paths)[3]
    half.paths[broken].write_bytes(b"no film")
    found = select_films(model, half.root, replace(UNCERTAIN, budget=12))
    assert found.unreadable == 1 and broken not in {Path(film.image).stem for film in found.films}
    assert len(found.films) == 11


@pytest.mark.slow
def test_chance_reads_no_film(model: Path, half: NihFolder) -> None:
    for path in half.paths.values():
        path.write_bytes(b"no film")
    found = select_films(model, half.root, SelectOptions("random", 5, seed=3))
    assert len(found.films) == 5 and found == select_films(
        model, half.root, SelectOptions("random", 5, seed=3)
    )


@pytest.mark.slow
def test_films_of_one_part_alone(model: Path, half: NihFolder) -> None:
    part = set(load_split(half, "patient").stems("train")) & set(sorted(half.paths)[:12])
    found = select_films(model, half.root, replace(UNCERTAIN, budget=24, split="patient"))
    assert {Path(film.image).stem for film in found.films} == part


@pytest.mark.slow
def test_what_the_model_knows_of_a_film_is_in_the_worklist(
    own_home: Path, half: NihFolder, tmp_path: Path
) -> None:
    split = load_split(half, "patient")
    model = save_demo_model(own_home, split_id=split.id)
    found = select_films(model, half.root, replace(UNCERTAIN, budget=12))
    facts = {Path(film.image).stem: film.known for film in found.films}
    own = {stem: part for part in ("train", "val") for stem in split.stems(part)}
    assert facts == {stem: ((own[stem],) if stem in own else ()) for stem in facts}
    assert len(found.known) == sum(stem in own for stem in facts) > 0
    found.write(tmp_path / "list.csv")
    assert read_worklist(tmp_path / "list.csv") == [*facts]
    table = pd.read_csv(tmp_path / "list.csv", keep_default_na=False)
    assert list(table) == ["Image Index", "Patient ID", "Rank", "Strategy", "Score", "Known to Model"]
    assert table["Known to Model"].tolist() == [" ".join(known) for known in facts.values()]


@pytest.mark.slow
def test_members_of_an_ensemble_disagree_and_one_model_does_not(
    model: Path, own_home: Path, half: NihFolder
) -> None:
    other = save_demo_model(own_home, "demo1", seed=1)
    found = select_films(f"{model},{other}", half.root, SelectOptions("disagreement", 3))
    scores = [film.score for film in found.films]
    assert found.model == "demo0,demo1" and scores == sorted(scores, reverse=True) and scores[-1] > 0
    with pytest.raises(DataError, match="this is one model"):
        select_films(model, half.root, SelectOptions("disagreement", 3))


def test_a_folder_that_is_labelled_has_nothing_to_label(model: Path, tiny_folder: Path) -> None:
    with pytest.raises(DataError, match="whose 14 labels are all unknown, so there is nothing to label"):
        select_films(model, tiny_folder, UNCERTAIN)
