"""Every number in a marked block of the documents is what the code gives today."""

import ast
import dataclasses
import json
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import arms
import generate
import numpy as np
import pandas as pd
import pytest
from demo_home import drawn_films, drawn_report

from xlite.data.eda.survey import survey
from xlite.data.folder import NihFolder
from xlite.data.predictions import read_predictions, write_predictions
from xlite.errors import DataError
from xlite.evaluation.compare import compare_files
from xlite.evaluation.films import write_labels
from xlite.metrics.estimate import Estimate
from xlite.report.metrics_json import report_json
from xlite.text import spread

ROOT = Path(__file__).resolve().parents[1]
AGAIN = "run `python docs/generate.py --tables FOLDER`"


def assert_up_to_date(blocks: dict[str, Callable[[], str]]) -> None:
    made = {name: cache(make) for name, make in blocks.items()}
    for path in generate.documents():
        text = path.read_text(encoding="utf-8")
        assert generate.fill(text, made) == text, f"{path.name} is not what the code gives: {AGAIN}"


@pytest.mark.slow
def test_what_the_code_alone_gives():
    assert_up_to_date(generate.BLOCKS)


@pytest.mark.release
@pytest.mark.slow
def test_what_the_real_tables_give(shared_data: Path):
    found = survey(NihFolder.open(shared_data / "nih_tables"))
    assert_up_to_date(generate.of_tables(found))


@pytest.mark.slow
def test_what_the_labels_of_real_films_give(shared_data: Path):
    assert_up_to_date(generate.of_labels(NihFolder.open(shared_data / "nih_tables")))


def test_labels_of_real_films_are_not_part_of_the_repository():
    beside = {study.name: (arms.MEASURED / study.name / "labels.csv.gz").exists() for study in arms.studies()}
    assert beside == {study.name: not study.real for study in arms.studies()}
    assert not (arms.MEASURED / "before" / "labels.csv.gz").exists()


def test_every_mark_has_an_end_and_a_function_and_every_function_a_mark():
    known = {*generate.BLOCKS, *generate.FROM_TABLES, *generate.FROM_LABELS}
    used = set()
    for path in generate.pages():
        text = path.read_text(encoding="utf-8")
        names = [match["name"] for match in generate.BLOCK.finditer(text)]
        assert len(names) == text.count("<!-- generated:") == text.count("<!-- end -->"), path.name
        used |= set(names)
    assert used == known


def test_a_study_of_federations_becomes_a_table(tmp_path: Path):
    assert generate.federated("cost", tmp_path).startswith("Not measured yet")
    (tmp_path / "cost.csv").write_text(
        "arm,auc,sd,federated_less_this,low,high,p\nfederated,.7886,.0371,,,,\n"
        '"federated, dp-epsilon=8",.5123,.0802,.2763,.2001,.3502,.0040\n'
    )
    assert generate.federated("cost", tmp_path) == (
        "|  | mean AUC | federated minus this | p |\n| --- | ---: | ---: | ---: |\n"
        "| federated | 0.789 ± 0.037 |  |  |\n"
        "| federated, dp-epsilon=8 | 0.512 ± 0.080 | +0.276 (+0.200 to +0.350) | 0.004 |"
    )


def test_a_block_is_made_anew_and_the_rest_stays():
    text = "a 1\n<!-- generated: one -->\nold\nold\n<!-- end -->\nb\n<!-- generated: two -->\n<!-- end -->\n"
    filled = generate.fill(text, {"one": lambda: "new"})
    assert filled == text.replace("old\nold\n", "new\n")
    assert generate.fill(filled, {"two": lambda: "2"}).endswith("<!-- generated: two -->\n2\n<!-- end -->\n")


@pytest.mark.parametrize(
    "path",
    [
        *generate.pages(),
        *sorted((ROOT / "docs" / "site").glob("*.md")),
        *(ROOT / f"{name}.md" for name in ("CONTRIBUTING", "CHANGELOG", "SECURITY")),
    ],
    ids=lambda path: path.relative_to(ROOT).as_posix(),
)
def test_links_lead_somewhere(path: Path):
    text = path.read_text(encoding="utf-8")
    in_place = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text)
    for link in [*in_place, *re.findall(r"^\[\w+\]: (.+)$", text, re.MULTILINE)]:
        assert (path.parent / link).exists(), link


@pytest.mark.parametrize(
    "path",
    [
        *(ROOT / "README.md", ROOT / "CONTRIBUTING.md"),
        *sorted((ROOT / "docs").rglob("*.md")),
        *sorted((ROOT / "checkpoints").rglob("*.md")),
    ],
    ids=lambda path: path.relative_to(ROOT).as_posix(),
)
def test_no_cell_of_a_table_is_long(path: Path):
    rows = [line for line in path.read_text(encoding="utf-8").splitlines() if line[:1] == "|"]
    assert [cell for row in rows for cell in row.split("|") if len(cell.strip()) > 120] == []


def test_the_site_shows_every_document():
    menu = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("nav:")[2]
    shown = set(re.findall(r"- ([\w/]+\.md)$", menu, re.MULTILINE))
    docs = ROOT / "docs"
    assert shown == {path.relative_to(docs).as_posix() for path in docs.rglob("*.md")}


@pytest.mark.parametrize("name", ["RESULTS.md", "EXPERIMENTS.md"])
def test_no_measured_auc_is_typed(name: str):
    text = (ROOT / "docs" / name).read_text(encoding="utf-8").partition("## Other models")[0]
    prose = re.sub(r"(?s)<!-- generated: .*?<!-- end -->|```.*?```", "", text)
    assert re.findall(r"\b0?\.\d{3}\b", prose) == []


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A study of two arms that nothing is measured of yet."""
    monkeypatch.setattr(arms, "MEASURED", tmp_path / "measured")
    monkeypatch.setattr(arms, "RUNS", tmp_path / "measured" / "runs.csv")
    (tmp_path / "measured" / "s").mkdir(parents=True)
    arms.RUNS.write_text(",".join(arms.COLUMNS) + "\n")
    described = {name: {"starts": "nothing", "learns": "labels"} for name in ("a", "b")}
    (tmp_path / "measured" / "s" / "study.json").write_text(
        json.dumps({"about": "Drawn.", "real": False, "arms": described, "pairs": [["a", "b"]]})
    )
    return tmp_path


def finished(root: Path, arm: str, seed: int, signal: float, split: str = "patient-42-0") -> Path:
    """What a run leaves behind, with predictions that know something of 200 drawn films."""
    folder = root / f"{arm}-{seed}"
    (folder / "evaluation" / "test").mkdir(parents=True)
    films = drawn_films(np.random.default_rng(0))
    probs = np.random.default_rng(seed).random(films.probs.shape) + signal * films.labels
    write_predictions(folder / "evaluation/test/predictions.csv", films.names, probs / (1 + signal))
    write_labels(folder / "evaluation/test/labels.csv", films)
    (folder / "config.json").write_text(json.dumps({"data": "films", "seed": seed}))
    (folder / "metrics.csv").write_text(f"epoch,val_auc\n1,0.5\n2,0.{60 + seed}\n3,0.55\n")
    report, _ = drawn_report(split_id=split)
    macro = report.macro.model_copy(update={"auc": Estimate(0.7 + seed / 100)})
    content = report_json(report.model_copy(update={"macro": macro}))
    (folder / "evaluation/test/metrics.json").write_text(json.dumps(content))
    return folder


def test_an_arm_is_added_by_the_folders_of_its_runs(study: Path):
    text = arms.tables(arms.Study.read("s"))
    assert text == "Drawn. Not measured yet: a, b."
    signals = {"a": 0.4, "b": 0.1}
    runs = {arm: [finished(study, arm, seed, signals[arm]) for seed in (1, 2)] for arm in "ab"}
    for arm, folders in runs.items():
        arms.add("s", arm, folders)
    arms.add("s", "a", runs["a"])
    rows = pd.read_csv(arms.RUNS)
    assert rows[["arm", "seed", "val_auc", "test_auc"]].to_numpy().tolist() == [
        [arm, seed, 0.6 + seed / 100, 0.7 + seed / 100] for arm in "ab" for seed in (1, 2)
    ]  # fmt: skip
    mean = np.mean(
        [read_predictions(run / "evaluation/test/predictions.csv").probs for run in runs["a"]], axis=0
    )
    given = read_predictions(arms.MEASURED / "s" / "a.csv.gz")
    np.testing.assert_allclose(given.probs, mean, atol=1e-9)
    read = arms.Study.read("s")
    text = arms.tables(read)
    assert "Split `patient-42-0`, 2020 labels: 200 test films of 100 patients." in text
    for arm in "ab":
        row = f"| {arm} | nothing | labels | 2 | {spread(0.615, 0.0070711)} | {spread(0.715, 0.0070711)} | "
        assert f"{row}{arms.auc(read.averaged(arm), read.films())} |" in text
    assert "| a − b | +0." in text and "~~" not in text


def test_films_that_a_teacher_knows_are_left_out_of_a_column_of_their_own(study: Path):
    described = json.loads((arms.MEASURED / "s" / "study.json").read_text())
    described["arms"]["a"]["contaminated"] = True
    (arms.MEASURED / "s" / "study.json").write_text(json.dumps(described))
    for arm, signal in (("a", 0.4), ("b", 0.1)):
        arms.add("s", arm, [finished(study, arm, 1, signal)])
    read = arms.Study.read("s")
    (arms.MEASURED / "s" / "seen.txt").write_text("\n".join(read.films().index[:80]))
    text = arms.tables(read)
    assert f"| labels | 1 | {0.61:.3f} | ~~{0.71:.3f}~~ |" in text
    assert "knows the patients of 80 test films; the last column has the other 120 films, of 60 pat" in text
    whole, clean = (arms.auc(read.averaged("a"), films) for films in (read.films(), read.films()[80:]))
    assert whole != clean and f"~~{whole}~~ | {clean} |" in text
    assert re.search(r"\| a − b \| ~~\+[^|]*~~ \| 0\.\d{3} \| \d+ \| \+0", text)


def test_of_real_films_names_alone_are_kept_and_the_labels_are_those_of_nihs_table(study: Path):
    run = finished(study, "a", 1, 0.4)
    arms.add("s", "a", [run])
    drawn = arms.Study.read("s")
    labels, before = drawn.films(), arms.tables(drawn)
    (arms.MEASURED / "s" / "labels.csv.gz").unlink()
    real = dataclasses.replace(drawn, real=True)
    said = json.loads((arms.MEASURED / "s" / "study.json").read_text()) | {"real": True}
    (arms.MEASURED / "s" / "study.json").write_text(json.dumps(said))
    arms.add("s", "a", [run])
    assert arms.Study.read("s") == real
    assert sorted(path.name for path in (arms.MEASURED / "s").iterdir()) == ["a.csv.gz", "study.json"]
    more = pd.concat([labels[::-1], labels[:1].rename({labels.index[0]: "another"})])
    assert arms.tables(real, more) == before


def test_an_arm_of_another_split_or_none_is_refused(study: Path):
    with pytest.raises(DataError, match="s/study.json describes no arm 'c'"):
        arms.add("s", "c", [finished(study, "c", 1, 0.5)])
    arms.add("s", "a", [finished(study, "a", 1, 0.5)])
    with pytest.raises(DataError, match="several: official-42-1 with 2020 labels, patient-42-0 with 2020"):
        arms.add("s", "b", [finished(study, "b", 1, 0.5, split="official-42-1")])


def test_the_tables_are_what_score_finds_on_the_same_films(shared_data: Path):
    study = arms.Study.read("nih-official")
    files = [arms.MEASURED / study.name / f"{arm}.csv.gz" for arm in ("file", "alone")]
    found = compare_files(*files, shared_data / "nih")
    gap = found.difference
    said = f"{gap.value:+.3f} ({gap.low:+.3f} to {gap.high:+.3f})"
    films = study.films(NihFolder.open(shared_data / "nih_tables").table.set_index("stem"))
    assert arms.difference(films, (study.averaged("file"), study.averaged("alone")), ("", ""))[0] == said


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "docs/ARCHITECTURE.md"])
def test_the_paths_that_newcomers_are_sent_to_exist(name: str):
    quoted = re.findall(
        r"`((?:xlite|app|pages|tests|docs|benchmarks|\.[a-z]+)/[\w./-]*)`", (ROOT / name).read_text()
    )
    missing = {path for path in quoted if not (ROOT / path).exists()}
    assert quoted and missing <= {"pages/NAME.py", "xlite/bundled/"}


def test_the_names_that_newcomers_are_sent_to_are_defined_there():
    text = (ROOT / "CONTRIBUTING.md").read_text()
    found = re.findall(r"`([\w/]+\.py)`: ((?:`[\w.]+`(?:, | and )?)+)", text)
    named = [(path, name) for path, names in found for name in re.findall(r"`([\w.]+)`", names)]
    named += [(path, name) for name, path in re.findall(r"`(\w+)` in\s`([\w/]+\.py)`", text)]
    assert len(named) > 20
    strayed = [(path, name) for path, name in named if not defines((ROOT / path).read_text(), name)]
    assert strayed == []


def test_the_glossary_has_each_word_once_and_in_order():
    table = (ROOT / "CONTRIBUTING.md").read_text().partition("| word | means |\n|---|---|\n")[2]
    words = re.findall(r"^\| ([^|]+) \|", table, re.MULTILINE)
    each = [word for cell in words for word in cell.split(", ")]
    assert len(words) > 40
    assert (words, len(set(each))) == (sorted(words, key=str.casefold), len(each))


def test_the_tree_names_every_folder_and_module_at_the_top():
    tree = (ROOT / "CONTRIBUTING.md").read_text().partition("## The tree\n\n```\n")[2].partition("```")[0]
    named = set(re.findall(r"[\w.]+", tree))
    there = [path.name for path in (ROOT / "xlite").iterdir() if (path / "__init__.py").exists()]
    there += [path.stem for path in (ROOT / "xlite").glob("[!_]*.py")]
    assert [name for name in there if not {name, f"{name}.py"} & named] == []


def defines(code: str, name: str) -> bool:
    """Whether a module defines a name at its top, or `Class.method`."""
    body = ast.parse(code).body
    for part in name.split("."):
        found = [node for node in body if part in names_of(node)]
        if not found:
            return False
        body = getattr(found[0], "body", [])
    return True


def names_of(node: ast.stmt) -> list[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", node)]
    return [getattr(target, "id", None) or getattr(target, "name", "") for target in targets]
