"""Every figure in a marked block of docs/*.md is what the code gives today."""

import importlib.util
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

from xlite.config import PACKAGE_ROOT
from xlite.data.eda.survey import survey
from xlite.data.nih import NihFolder

AGAIN = "run `python docs/generate.py`"


@cache
def generate() -> ModuleType:
    """docs/generate.py, which is a script and no part of the package."""
    spec = importlib.util.spec_from_file_location("generate", PACKAGE_ROOT / "docs" / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def assert_up_to_date(blocks: dict[str, Callable[[], str]]) -> None:
    made = {name: cache(make) for name, make in blocks.items()}
    for path in generate().documents():
        text = path.read_text(encoding="utf-8")
        assert generate().fill(text, made) == text, f"{path.name} is not what the code gives: {AGAIN}"


def test_what_the_code_alone_gives():
    assert_up_to_date(generate().BLOCKS)


def test_what_the_real_tables_give(shared_data: Path):
    figures = survey(NihFolder.open(shared_data / "nih_tables"))
    assert_up_to_date(generate().of_tables(figures))


def test_every_mark_has_an_end_and_a_function_and_every_function_a_mark():
    known = {*generate().BLOCKS, *generate().FROM_TABLES}
    used = set()
    for path in (PACKAGE_ROOT / "docs").glob("*.md"):
        text = path.read_text(encoding="utf-8")
        names = [match["name"] for match in generate().BLOCK.finditer(text)]
        assert len(names) == text.count("<!-- generated:") == text.count("<!-- end -->"), path.name
        used |= set(names)
    assert used == known


def test_a_block_is_made_anew_and_the_rest_stays():
    text = "a 1\n<!-- generated: one -->\nold\nold\n<!-- end -->\nb\n<!-- generated: two -->\n<!-- end -->\n"
    filled = generate().fill(text, {"one": lambda: "new"})
    assert filled == text.replace("old\nold\n", "new\n")
    assert (
        generate().fill(filled, {"two": lambda: "2"}).endswith("<!-- generated: two -->\n2\n<!-- end -->\n")
    )


@pytest.mark.parametrize("name", ["DESIGN.md", "PREPROCESSING.md", "IMPLEMENTATION.md", "EDA_REPORT.md"])
def test_links_lead_somewhere(name: str):
    text = (PACKAGE_ROOT / "docs" / name).read_text(encoding="utf-8")
    for link in generate().re.findall(r"\]\(([^)#:]+)\)", text):
        assert (PACKAGE_ROOT / "docs" / link).exists(), link
