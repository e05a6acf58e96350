"""Sentences of the command line as the pages show them."""

import pytest

from xlite.config import TrainConfig
from xlite.errors import DataError
from xlite.messages import label, page_sentence


def test_every_setting_has_a_label_of_its_own():
    labels = [label(name) for name in TrainConfig.model_fields]
    assert len(set(labels)) == len(labels)
    assert [text for text in labels if not text[0].isupper() or "_" in text] == []


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (DataError("30 are gone; add --skip-missing"), "30 are gone; add “Skip missing films”"),
        (DataError("use 'patient', or --allow-leakage"), "Use 'patient', or “Allow shared patients”"),
        (DataError("give this one another --study"), "Give this one another --study"),
        (DataError("film.png has 20.0 MB"), "film.png has 20.0 MB"),
        (PermissionError(13, "Permission denied", "x"), "No permission to use x: Permission denied"),
    ],
)
def test_a_page_shows_labels_instead_of_options(error: BaseException, sentence: str):
    assert page_sentence(error) == sentence
