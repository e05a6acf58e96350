"""What is planned: the space of a study, and the settings of each trial."""

from pathlib import Path

import pytest

from xlite.errors import RunError
from xlite.sweeps.plan import Design, Range, make_plan, parse_vary, read_space

pytestmark = pytest.mark.usefixtures("quick")


@pytest.mark.parametrize(
    ("vary", "options", "sentence"),
    [
        ({}, {"trials": 3}, "needs something to vary"),
        ({"lr": Range(low=1e-4, high=1e-2)}, {}, "cannot all be tried"),
        ({"lr": Range(low=1, high=0.1)}, {"trials": 3}, "the lower one first"),
        (
            {"lr": Range(low=0.1, high=20)},
            {"trials": 3},
            "--lr is 20; expected a number, over 0 and at most 10",
        ),
        ({"backbone": Range(low=1, high=2)}, {"trials": 3}, "--backbone is 1; expected text"),
        ({"backbone": []}, {}, "expected a list of values"),
        ({"loss": ["bce", "dice"]}, {}, "--loss is 'dice'; expected one of bce"),
        ({"data": ["a", "b"]}, {}, "data cannot vary"),
        ({"split": ["patient", "official"]}, {}, "split cannot vary"),
        ({"seed": [1, 2]}, {}, "the seeds of a grid are counted"),
        ({"lr": [0.1]}, {"trials": 3, "seeds": 2}, "is not a study"),
    ],
)
def test_a_search_that_cannot_be_is_one_sentence(vary: dict, options: dict, sentence: str) -> None:
    with pytest.raises(RunError, match=sentence):
        make_plan("search", {"data": "d"}, vary, Design("s", **options))


def test_spaces_are_read_from_words_and_json(tmp_path: Path) -> None:
    assert parse_vary("backbone=a, b") == ("backbone", ["a", "b"])
    assert parse_vary("weight-decay=1e-5..1e-2:log") == ("weight_decay", Range(low=1e-5, high=1e-2, log=True))
    assert parse_vary("epochs=3..10") == ("epochs", Range(low=3, high=10))
    for text in ("lr", "lr=", "lr=a..b"):
        with pytest.raises(RunError, match="varies no setting"):
            parse_vary(text)
    path = tmp_path / "space.json"
    path.write_text('{"lr": {"low": 1e-4, "high": 1e-2, "log": true}, "alpha": [0.5, 0.9]}')
    assert read_space(path) == {"lr": Range(low=1e-4, high=1e-2, log=True), "alpha": [0.5, 0.9]}
    for text in ("[]", "{", '{"lr": {"from": 1}}'):
        path.write_text(text)
        with pytest.raises(RunError):
            read_space(path)
