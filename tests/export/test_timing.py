"""How long exports take, in processes of their own."""

import re
from pathlib import Path

import pytest

from xlite.errors import RunError
from xlite.export.timing import in_turns
from xlite.files import Steps

pytestmark = pytest.mark.slow


def test_files_take_turns(exported: tuple[Path, Path]) -> None:
    told: list[tuple[int, int]] = []
    steps = Steps(lambda *done: told.append(done), total=2)
    times = in_turns({"one": exported[1], "other": exported[1]}, turns=1, runs=2, steps=steps)
    assert len(times) == 2 and all(0 < ms < 1000 for ms in times)
    assert told == [(0, 2), (1, 2), (2, 2)]


def test_what_cannot_be_timed_is_called_what_it_is(tmp_path: Path) -> None:
    """A draft in a temporary folder says nothing to whoever exports."""
    draft = tmp_path / "int8.onnx"
    draft.write_bytes(b"no network")
    with pytest.raises(RunError) as caught:
        in_turns({"int8": draft})
    said = str(caught.value)
    assert said.startswith("the int8 export cannot be timed: ") and str(tmp_path) not in said
    assert re.search("int8 is not an ONNX file, or is damaged or cut short$", said), said
