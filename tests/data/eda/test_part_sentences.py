"""What Explore says of splits, uploaded lists, batches and editions."""

import gzip

import numpy as np
import pytest

from xlite.data.eda import part_sentences
from xlite.data.eda.batch_composition import measure_batches
from xlite.data.eda.editions import EditionDifference, compare_editions
from xlite.data.eda.partitions import balance, known_of_parts, leakage, locate, partitions
from xlite.data.eda.statistics import CLASSES
from xlite.data.folder import NihFolder
from xlite.data.leakage import leakage_report
from xlite.errors import DataError
from xlite.findings import FINDINGS, spoken


def test_an_upload_is_read_as_a_list_is_and_errors_have_its_name():
    assert part_sentences.stems_of_upload("mine.txt", b"1_0.png\n2_0.png\n") == ["1_0", "2_0"]
    assert part_sentences.stems_of_upload("mine.CSV", b"image,label\n1_0.png,Mass\n") == ["1_0"]
    with pytest.raises(DataError, match=r"^mine\.csv has no column 'image'"):
        part_sentences.stems_of_upload("mine.csv", b"a,b\n1,2\n")
    packed = gzip.compress(b"image\n1_0.png\n")
    assert part_sentences.stems_of_upload("mine.csv", packed) == ["1_0"]
    with pytest.raises(DataError, match=r"^mine\.csv cannot be read as text: it has NUL bytes"):
        part_sentences.stems_of_upload("mine.csv", b"image\n\0")
    with pytest.raises(DataError, match=r"^mine\.txt lists no film"):
        part_sentences.stems_of_upload("mine.txt", b"\n")


def test_whether_one_list_leaks_into_another(hand: NihFolder):
    clean = leakage_report(["1_0", "1_1"], ["3_0", "4_0"], hand.table)
    assert part_sentences.leakage_sentence(clean) == (
        "Nothing leaks: the 2 films judged are of 2 patients, none of whom has a film among the 2 "
        "learned from."
    )
    leaky = leakage_report(["1_0", "3_0"], ["3_0", "3_1", "4_0"], hand.table)
    assert part_sentences.leakage_sentence(leaky) == (
        "2 films of 3 judged (66.7%) show a patient who was learned from: 1 patient and 1 film are in both."
    )


def test_leakage_and_balance_as_tables(hand: NihFolder):
    located = locate(hand.table, partitions(hand))
    table = part_sentences.leakage_table({name: leakage(hand.table, rows) for name, rows in located.items()})
    assert table.to_numpy().tolist() == [["official", "0", "no such part", "0.0%", "0.0%"]]
    shown = part_sentences.balance_table(
        balance(hand.table, located["official"]),
        known_of_parts(hand.table, located["official"]),
        [*map(spoken, CLASSES)],
    )
    assert shown.columns.tolist() == ["", "train+val", "test"]
    assert shown.iloc[:3].to_numpy().tolist() == [
        ["Films", "4", "4"],
        ["Patients", "2", "3"],
        ["No finding", "1  (25.00%)", "3  (75.00%)"],
    ]


def test_batches_as_a_table(hand: NihFolder):
    found = measure_batches(hand.table[list(FINDINGS)].to_numpy(), 4, 42, drawn=20)
    table = part_sentences.batches_table(found)
    assert table["Class"].tolist() == [*map(spoken, CLASSES)]
    mass = table.set_index("Class").loc["Mass"]
    assert mass["Films in a batch"] == f"{found.classes.loc['Mass', 'in_batch']:.2f}"
    assert table.set_index("Class").loc["No finding", "Weight of positives"] == ""
    assert f"draws {found.seen:.1%} of the films" in part_sentences.batches_sentence(found)


def test_editions_as_a_table(hand: NihFolder):
    other = hand.root / "Data_Entry_2017.csv"
    other.write_text((hand.root / "Data_Entry_2017_v2020.csv").read_text().replace("Mass|Nodule", "Mass"))
    found: EditionDifference = compare_editions(hand.table, other)
    table = part_sentences.editions_table(found).set_index("Finding")
    assert table.loc["Nodule"].tolist() == [2, 1, 1, 0] and table.loc["Mass"].tolist() == [3, 3, 0, 0]
    assert np.array_equal(table.sum().to_numpy(), found.findings.drop(columns="unknown").sum().to_numpy())
