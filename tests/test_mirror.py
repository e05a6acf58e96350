"""Each module's tests are found by its name, as CONTRIBUTING says: in its file, its folder's, or a list."""

import ast
import functools
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent
ROOT = TESTS.parent
TESTED_BY = {
    "xlite/access/secrets.py": "tests/access/test_tokens.py",
    "xlite/active/heads.py": "tests/active/test_study.py",
    "xlite/active/learner.py": "tests/active/test_study.py",
    "xlite/active/retrained.py": "tests/cli/test_select.py",
    "xlite/active/simulate.py": "tests/cli/test_select.py",
    "xlite/active/study_sentences.py": "tests/cli/test_select.py",
    "xlite/data/eda/embedding_figure.py": "tests/data/eda/test_embedded.py",
    "xlite/data/eda/markdown.py": "tests/data/eda/test_editions.py",
    "xlite/data/eda/overview.py": "tests/data/eda/test_captions.py",
    "xlite/data/eda/sections/batches.py": "tests/data/eda/test_report.py",
    "xlite/data/eda/sections/editions.py": "tests/data/eda/test_editions.py",
    "xlite/data/eda/sections/films.py": "tests/data/eda/test_report.py",
    "xlite/data/eda/sections/splits.py": "tests/data/eda/test_report.py",
    "xlite/data/eda/survey.py": "tests/data/eda/test_editions.py",
    "xlite/data/film_kinds.py": "tests/data/test_zipped.py",
    "xlite/data/importing/preview.py": "tests/app/test_explore_import.py",
    "xlite/data/part_films.py": "tests/data/test_dataset.py",
    "xlite/engines/engine.py": "tests/engines/test_ensemble.py",
    "xlite/engines/stamp.py": "tests/export/test_half.py",
    "xlite/engines/torch_engine.py": "tests/test_classify.py",
    "xlite/evaluation/adaptation/adaptation.py": "tests/report/test_adaptation.py",
    "xlite/evaluation/adaptation/change.py": "tests/evaluation/adaptation/test_adapt.py",
    "xlite/evaluation/answers.py": "tests/evaluation/test_embedding.py",
    "xlite/evaluation/crossfit.py": "tests/evaluation/test_doubts.py",
    "xlite/evaluation/films.py": "tests/evaluation/test_radiologists.py",
    "xlite/evaluation/full_report.py": "tests/evaluation/test_evaluate.py",
    "xlite/evaluation/old_formats.py": "tests/evaluation/test_report.py",
    "xlite/evaluation/part_judged.py": "tests/evaluation/test_doubts.py",
    "xlite/export/ensemble.py": "tests/app/test_web.py",
    "xlite/export/films.py": "tests/export/test_int8.py",
    "xlite/export/front_matter.py": "tests/export/test_hub.py",
    "xlite/export/quantise.py": "tests/export/test_int8.py",
    "xlite/export/web.py": "tests/app/test_web.py",
    "xlite/export/web_runtime.py": "tests/app/test_web.py",
    "xlite/federated/answers.py": "tests/federated/test_study.py",
    "xlite/federated/distil.py": "tests/federated/test_simulate.py",
    "xlite/federated/flower.py": "tests/federated/test_node.py",
    "xlite/federated/form.py": "tests/app/test_train_federation.py",
    "xlite/federated/keys.py": "tests/federated/test_node.py",
    "xlite/federated/record.py": "tests/federated/test_rounds.py",
    "xlite/federated/server.py": "tests/federated/test_simulate.py",
    "xlite/findings.py": "tests/data/test_tables.py",
    "xlite/formats/decode_process.py": "tests/formats/test_codec.py",
    "xlite/formats/dicom/colour.py": "tests/formats/dicom/test_film.py",
    "xlite/guards/network.py": "tests/export/test_web_guards.py",
    "xlite/labelling/sentences.py": "tests/labelling/test_sitting.py",
    "xlite/labelling/summary.py": "tests/labelling/test_agreement.py",
    "xlite/labels.py": "tests/metrics/test_known_labels.py",
    "xlite/models/adapted.py": "tests/evaluation/adaptation/test_adapt.py",
    "xlite/models/attention.py": "tests/models/test_student.py",
    "xlite/models/choice.py": "tests/models/test_duty.py",
    "xlite/models/densenet.py": "tests/training/test_teachers.py",
    "xlite/models/known_weights.py": "tests/training/test_learned_from.py",
    "xlite/models/latency.py": "tests/cli/test_models.py",
    "xlite/models/onnx_file.py": "tests/export/test_int8.py",
    "xlite/models/onnx_graph.py": "tests/export/test_half.py",
    "xlite/models/onnx_schema.py": "tests/models/test_xrv.py",
    "xlite/models/tensor_check.py": "tests/models/test_weights.py",
    "xlite/models/unpickle.py": "tests/models/test_xrv.py",
    "xlite/pacs/common.py": "tests/pacs/test_capture.py",
    "xlite/pacs/files.py": "tests/cli/test_predict.py",
    "xlite/pacs/outcome.py": "tests/pacs/test_capture.py",
    "xlite/pacs/receive.py": "tests/pacs/test_node.py",
    "xlite/pacs/results.py": "tests/pacs/test_node.py",
    "xlite/pacs/send.py": "tests/pacs/test_node.py",
    "xlite/pixels.py": "tests/formats/test_png.py",
    "xlite/places.py": "tests/runs/test_run.py",
    "xlite/predict/overlays.py": "tests/predict/test_pipeline.py",
    "xlite/processors.py": "tests/predict/test_pipeline.py",
    "xlite/report/charts/panels.py": "tests/report/charts/test_rates.py",
    "xlite/report/charts/paper.py": "tests/report/test_document_pdf.py",
    "xlite/report/contact_sheet.py": "tests/report/test_write.py",
    "xlite/report/curves_json.py": "tests/report/test_write.py",
    "xlite/report/film_pages.py": "tests/cli/test_predict.py",
    "xlite/report/hand_thresholds.py": "tests/report/test_card.py",
    "xlite/report/learned_sentences.py": "tests/evaluation/contamination/test_contamination.py",
    "xlite/report/pdf_sheet.py": "tests/report/test_film_pdf.py",
    "xlite/report/sections/confusion.py": "tests/report/test_unknown_labels.py",
    "xlite/report/sections/radiologists.py": "tests/report/sections/test_whole.py",
    "xlite/report/sections/subgroups.py": "tests/report/sections/test_whole.py",
    "xlite/report/sections/thresholds.py": "tests/report/test_view.py",
    "xlite/report/typed_files.py": "tests/report/test_shortcuts.py",
    "xlite/runs/launch.py": "tests/federated/test_simulation.py",
    "xlite/serving/answers.py": "tests/serving/test_films.py",
    "xlite/sweeps/build_students.py": "tests/sweeps/test_check.py",
    "xlite/sweeps/left_out.py": "tests/sweeps/test_crossfit.py",
    "xlite/sweeps/storage.py": "tests/sweeps/test_study.py",
    "xlite/sweeps/trials.py": "tests/sweeps/test_study.py",
    "xlite/sweeps/trials_table.py": "tests/sweeps/test_kinds.py",
    "xlite/training/concern_sentences.py": "tests/training/test_training_data.py",
    "xlite/training/device_stats.py": "tests/training/test_recorder.py",
    "xlite/training/probing.py": "tests/training/test_probe.py",
    "xlite/training/write_network.py": "tests/training/lungs/test_lungs.py",
}
"""Of modules that neither their name nor their folder's leads to the tests of: who tests them."""


@functools.cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@functools.cache
def modules() -> dict[str, Path]:
    """All of xlite by dotted name; a package is its folder's name."""
    found = {}
    for path in sorted((ROOT / "xlite").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@functools.cache
def imported(path: Path) -> frozenset[str]:
    """What a file imports, by dotted name, and what it names in a text: a program is started by its name."""
    found: set[str] = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.update({node.module, *(f"{node.module}.{alias.name}" for alias in node.names)})
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in modules():
            found.add(node.value)
    return frozenset(found)


@functools.cache
def importers() -> dict[str, set[str]]:
    """By whom each module is imported; what a package hands on counts for nothing."""
    found = defaultdict(set)
    for name, path in modules().items():
        for other in imported(path) & modules().keys() - {name}:
            if path.stem != "__init__":
                found[other].add(name)
    return found


def files_of(test: Path) -> set[Path]:
    """A file of tests, its folder's fixtures, and the files in tests/ that it imports."""
    todo, seen = [test, *test.parent.glob("conftest.py")], set[Path]()
    while todo:
        path = todo.pop()
        seen.add(path)
        here = {name.partition(".")[0] for name in imported(path)}
        places = [folder / f"{name}.py" for name in here for folder in (TESTS, TESTS / "sweeps")]
        todo += [place for place in places if place.is_file() and place not in seen]
    return seen


@functools.cache
def used_by(test: Path) -> frozenset[str]:
    """The modules that a file of tests imports, and the one that it is named after."""
    place = test.relative_to(TESTS)
    own = ".".join(["xlite", *place.parts[:-1], place.stem.removeprefix("test_")])
    return frozenset({own, *(name for path in files_of(test) for name in imported(path))} & modules().keys())


def leads_to(test: Path, module: str) -> bool:
    """Whether a file of tests imports a module, or one that imports it, by way of its own folder or at once.

    What nothing imports is started as a program, and there is no telling by whom.
    """
    package = module.rpartition(".")[0]
    todo, seen = [module], set[str]()
    while todo:
        name = todo.pop()
        if ({name} | importers()[name]) & used_by(test):
            return True
        seen.add(name)
        todo += [one for one in importers()[name] - seen if one.rpartition(".")[0] == package]
    return not importers()[module]


def has_code(path: Path) -> bool:
    """Whether there is a function to test, and it is neither a package's own file nor a program's door."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
    return not path.stem.startswith("__") and any(isinstance(n, functions) for n in ast.walk(tree_of(path)))


def by_name(path: Path) -> Iterator[Path]:
    """Where a module's tests may be: of its name, of its name's beginning, of its folder's name."""
    place = path.relative_to(ROOT / "xlite")
    folder, words = TESTS / place.parent, path.stem.split("_")
    yield from (folder / f"test_{'_'.join(words[:count])}.py" for count in range(len(words), 0, -1))
    if place.parent.name:
        yield from (where / f"test_{place.parent.name}.py" for where in (folder, folder.parent))


def found_by_name(path: Path, module: str) -> bool:
    own, *others = by_name(path)
    return own.is_file() or any(test.is_file() and leads_to(test, module) for test in others)


WITH_CODE = {path.relative_to(ROOT).as_posix(): name for name, path in modules().items() if has_code(path)}


@pytest.mark.parametrize("place", WITH_CODE)
def test_a_modules_tests_are_found(place: str) -> None:
    if not found_by_name(ROOT / place, WITH_CODE[place]):
        own = next(by_name(ROOT / place)).relative_to(ROOT)
        assert place in TESTED_BY, f"{place} has no tests of its name: write {own}, or see TESTED_BY"


@pytest.mark.parametrize("place", TESTED_BY)
def test_the_list_is_true_and_needed(place: str) -> None:
    assert place in WITH_CODE, f"{place} is not a module with code any more: take it off TESTED_BY"
    test, module = ROOT / TESTED_BY[place], WITH_CODE[place]
    assert not found_by_name(ROOT / place, module), f"{place} needs no entry: its name leads to its tests"
    assert test.is_file() and leads_to(test, module), f"{TESTED_BY[place]} does not test {place}"


def test_the_list_is_in_order() -> None:
    assert list(TESTED_BY) == sorted(TESTED_BY)


@pytest.mark.parametrize("path", sorted((ROOT / "pages").glob("*.py")), ids=lambda path: path.stem)
def test_each_page_has_tests_of_its_name(path: Path) -> None:
    assert (TESTS / "app" / f"test_{path.stem}.py").is_file()
