"""What all importers read alike: the sex of a patient."""

from pathlib import Path

import pytest
from foreign_sets import write_table

from xlite.data.importing.columns import guess_columns
from xlite.data.importing.found import sex_of
from xlite.data.importing.sources import read_source


@pytest.mark.parametrize(
    ("words", "sex"),
    [
        (("F", "f", " Female ", "W", "weiblich", "Femme", "Mujer"), "F"),
        (("M", "male", "Männlich", "homme", "Hombre"), "M"),
        (("", "D", "divers", "O", "unknown", "1", "X"), ""),
    ],
)
def test_a_sex_is_read_from_its_letter_or_word(words: tuple[str, ...], sex: str) -> None:
    assert [sex_of(word) for word in words] == [sex] * len(words)


def test_a_german_table_keeps_its_women(tmp_path: Path) -> None:
    rows = [[f"{number}.png", str(number), sex, "1"] for number, sex in enumerate("WMD")]
    table = tmp_path / "filme.csv"
    write_table(table, ["Bild", "Patient", "Geschlecht", "Pneumothorax"], rows)
    found, _ = read_source("csv", table, guess_columns(table))
    assert found.films["sex"].tolist() == ["F", "M", ""]
