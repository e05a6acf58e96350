"""A folder whose labels are all known has the figures, to the last digit, that it had before a label could
be unknown: of a small phantom folder, and of the real table if it is here.
"""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from xlite.data.eda import captions, charts, export, history, part_sentences, ranking
from xlite.data.eda.coded import CodedFilms
from xlite.data.eda.filters import Filter, Selection, parts_of
from xlite.data.eda.partitions import balance, known_of_parts, locate, partitions
from xlite.data.eda.report import render
from xlite.data.eda.statistics import CLASSES
from xlite.data.eda.survey import Survey, survey
from xlite.data.folder import NihFolder
from xlite.data.imbalance import balanced_sample_weights, inverse_frequency, positive_weights
from xlite.data.phantom import write_phantom
from xlite.data.splits import make_split
from xlite.findings import FINDINGS, spoken

LINKS = {name: f"img/{name}.png" for name in ("findings", "amounts", "together", "views", "ages", "boxes")}


def digest(content: object) -> str:
    """Twelve hex digits of bytes, or of plain values as JSON."""
    data = content if isinstance(content, bytes) else json.dumps(content, allow_nan=False).encode()
    return hashlib.sha256(data).hexdigest()[:12]


@pytest.fixture(scope="module")
def phantom(tmp_path_factory: pytest.TempPathFactory) -> NihFolder:
    """60 films of 25 patients, each finding among them, as small as films may be."""
    root = tmp_path_factory.mktemp("known") / "phantom"
    write_phantom(root, images=60, patients=25, size=32, seed=7, processes=1)
    return NihFolder.open(root)


@pytest.fixture(scope="module")
def coded(phantom: NihFolder) -> CodedFilms:
    return CodedFilms.code(phantom.table, phantom.boxes(), parts_of(phantom))


@pytest.fixture(scope="module")
def surveyed(phantom: NihFolder) -> Survey:
    return survey(phantom)


@pytest.mark.slow
def test_table_labels_fingerprint_and_split(phantom: NihFolder):
    labels = phantom.table[list(FINDINGS)]
    assert set(labels.dtypes) == {np.dtype(np.uint8)}
    stems = phantom.table["stem"].tolist()
    assert digest(phantom.labels(stems).tobytes()) == "baea1a31f866"
    assert digest(phantom.finding_counts(stems).tolist()) == "feb767dcf83a"
    assert phantom.fingerprint() == "0fa6fa3f4f2c"
    split = make_split(phantom)
    assert split.id == "patient-42-0fe23944"
    assert digest(split.parts) == "b2c41b967f19"
    assert make_split(phantom, "official").id == "official-42-b09140c5"


def test_class_weights_and_the_sampler(phantom: NihFolder):
    stems = phantom.table["stem"].tolist()
    for labels in (phantom.labels(stems), phantom.table[list(FINDINGS)].to_numpy()):
        assert digest(inverse_frequency(labels).tobytes()) == "d1cef3fb700e"
        assert digest(positive_weights(labels).tobytes()) == "949919fbdf7e"
        assert digest(balanced_sample_weights(labels).tobytes()) == "21b256b7af08"


@pytest.mark.slow
def test_the_survey_and_the_report(surveyed: Survey):
    assert digest(surveyed.as_dict()) == "338483c162d6"
    text = re.sub(r" on \d{4}-\d\d-\d\d from", " from", render(surveyed, LINKS, "xlite eda"))
    assert digest(text.encode()) == "8bd688094e9e"


def test_the_charts_of_explore(coded: CodedFilms):
    # One folder has no chart of folders.
    makers = [chart for tab in charts.TABS.values() for chart in tab if chart is not charts.folders]
    drawn: list[Any] = []
    for wanted in (Filter(), Filter(has=("Infiltration",)), Filter(amounts=("0", "2"), views=("AP",))):
        selection = Selection(coded, wanted)
        shown = [chart(selection) for chart in makers]
        shown += [charts.cooccurrence(selection, by) for by in ("lift", "films")]
        drawn.append([chart.plain() for chart in shown])
        drawn.append(captions.headline(coded.facts(selection.keep)))
        groups = [
            coded.prevalence(selection.keep, one) for one in (coded.views, coded.sexes, coded.age_groups())
        ]
        drawn.append(captions.prevalence_table(groups).to_csv())
    assert digest(drawn) == "47226ed13de5"  # since the title of the chart of boxes is shorter


def test_the_films_of_explore(coded: CodedFilms):
    rows = np.arange(len(coded))
    probs = np.random.default_rng(3).random((len(coded), 14), np.float32)
    judged = ranking.ModelProbabilities("demo", probs, ("test",))
    said: list[Any] = [
        export.as_csv(coded, rows),
        export.rows_table(coded, rows).to_csv(),
        export.patients_table(coded, rows).to_csv(),
        history.timeline(coded, history.patient_rows(coded, 0)).to_csv(),
    ]
    for order in ranking.BY_MODEL:
        by = ranking.values(coded, rows, order, judged, "Mass")
        assert by is not None
        said += [by.tolist(), captions.said_of_films(coded, rows, judged, order, "Mass")]
    for row in (0, 5, 30):
        film = coded.table.iloc[row]
        said += [captions.film_caption(film), captions.film_alt(film, 1)]
        table = captions.probabilities_table(coded, row, {"demo": judged})
        assert table is not None
        said.append(table.to_csv())
    assert digest(said) == "307050cbe31b"  # since no probability is rounded to none or all


def test_parts_and_batches(phantom: NihFolder, surveyed: Survey):
    found = locate(phantom.table, partitions(phantom))
    tables = [
        part_sentences.balance_table(
            balance(phantom.table, rows), known_of_parts(phantom.table, rows), [*map(spoken, CLASSES)]
        ).to_csv()
        for rows in found.values()
    ]
    assert digest([*tables, part_sentences.batches_table(surveyed.batches).to_csv()]) == "aeed89803f30"


@pytest.mark.slow
def test_the_real_table(shared_data: Path):
    """Its report in docs is compared with a fresh one by tests/data/eda/test_report.py."""
    folder = NihFolder.open(shared_data / "nih_tables")
    labels = folder.labels(folder.table["stem"].tolist())
    assert folder.fingerprint() == "0452b8702394"
    assert make_split(folder).id == "patient-42-23c459e8"
    assert digest(balanced_sample_weights(labels).tobytes()) == "cf0e72125488"
    assert digest(positive_weights(labels).tobytes()) == "b21ad53795ce"
