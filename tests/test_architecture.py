"""Who may import whom, read from the source: the arrows of docs and code point one way."""

import ast
import functools
import graphlib
import re
from collections.abc import Iterator
from pathlib import Path

import layers
import pytest

from xlite.config import TrainConfig

ROOT = Path(__file__).resolve().parents[1]
# From the ground floor up: a module imports from its own folder and from the lines above its own.
LAYERS = (
    ("findings", "split_names", "errors", "files", "text", "labels", "extras", "paging"),
    ("patients", "file_lock"),
    ("places", "processors"),
    ("public",),
    ("config", "pixels"),
    ("formats", "presets", "messages", "access", "plots", "examples"),
    ("images",),
    ("guards",),
    ("metrics",),
    ("data",),
    ("models",),
    ("explain",),
    ("reading", "engines"),
    ("labelling",),
    ("classify",),
    ("guarded",),
    ("predict",),
    ("evaluation",),
    ("report",),
    ("export",),
    ("runs", "serving"),
    ("pacs",),
    ("training",),
    ("sweeps", "active", "federated"),
    ("cli",),
    ("__main__",),
)
ONLY_IN = {
    "streamlit": (
        "app/Home.py",
        "app/film_viewer.py",
        "app/page_",
        "app/public_socket.py",
        "app/sign_in.py",
        "pages/",
    ),
    "gradio": ("app/share",),
    **dict.fromkeys(("fastapi", "uvicorn"), ("app/serve", "xlite/federated/fleet.py")),
    **dict.fromkeys(("python_multipart", "prometheus_client"), ("app/serve",)),
    "starlette": ("app/", "xlite/access/", "xlite/federated/fleet.py"),
    "flwr": ("xlite/federated/",),
    **dict.fromkeys(("pynetdicom", "highdicom", "dicomweb_client"), ("xlite/pacs/",)),
    "lightning_fabric": tuple(f"xlite/training/{name}.py" for name in ("fabric", "loop", "step")),
    "torch": (
        *("xlite/models/", "xlite/explain/maps.py", "xlite/engines/torch_engine.py"),
        *("xlite/export/", "xlite/training/", "xlite/federated/"),
        *("xlite/data/dataset.py", "xlite/data/augmentation.py"),
        "xlite/evaluation/read_films.py",
        *(f"xlite/evaluation/localisation/{name}.py" for name in ("maps", "sanity")),
    ),
}


@functools.cache
def sources(*folders: str) -> list[Path]:
    places = [ROOT / folder for folder in folders]
    return sorted(path for one in places for path in ([one] if one.is_file() else one.rglob("*.py")))


@functools.cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT / "xlite").with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)


def imports(tree: ast.AST, lazy: bool = True) -> Iterator[str]:
    """Every module a tree imports, but for type checkers; with `lazy` those imported in functions too."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif not is_type_checking(node) and (lazy or not isinstance(node, ast.FunctionDef)):
            yield from imports(node, lazy)


def own_imports(path: Path, lazy: bool = True) -> set[str]:
    """The modules of xlite that a module imports, without the leading name."""
    known = {module_name(source) for source in sources("xlite")}
    found = set()
    for name in imports(tree_of(path), lazy):
        if name.startswith("xlite."):
            inner = name.removeprefix("xlite.")
            found.add(inner if inner in known else inner.rpartition(".")[0])
    return found - {"", module_name(path)}


def layer(module: str) -> int:
    name = module.partition(".")[0]
    found = [number for number, names in enumerate(LAYERS) if name in names]
    assert found, f"xlite.{module} is in no layer: say in LAYERS where it stands"
    return found[0]


@pytest.mark.parametrize("path", sources("xlite"), ids=module_name)
def test_no_import_points_up(path: Path) -> None:
    module = module_name(path)
    top = module.partition(".")[0]
    wrong = sorted(
        name
        for name in own_imports(path)
        if module and name.partition(".")[0] != top and layer(name) >= layer(module)
    )
    assert not wrong, f"xlite.{module} may not import {wrong}"


def test_no_module_imports_itself_by_way_of_others() -> None:
    graph = {module_name(path): own_imports(path, lazy=False) for path in sources("xlite")}
    packages = {name for name in graph if (ROOT / "xlite" / name.replace(".", "/")).is_dir()}
    # `from xlite.data.eda import charts` also names the package, whose __init__ is then already running.
    trimmed = {name: {other for other in others if other not in packages} for name, others in graph.items()}
    list(graphlib.TopologicalSorter(trimmed).static_order())


@pytest.mark.parametrize(
    ("roots", "heavy"),
    [
        (
            {
                *("config", "runs.run", "runs.device_queue", "runs.results", "runs.default_data"),
                *("examples", "explain", "messages", "cli"),
            },
            {"torch", "timm", "pandas", "optuna", "streamlit", "gradio"},
        ),
        ({"sweeps.work", "sweeps.check"}, {"torch", "timm", "streamlit", "gradio"}),
    ],
    ids=["pages", "sweep"],
)
def test_what_waits_for_runs_never_loads_torch(roots: set[str], heavy: set[str]) -> None:
    """Pages and `xlite jobs` look at runs every few seconds and start at once; a sweep waits for days."""
    todo, seen = set(roots), set()
    while todo:
        module = todo.pop()
        seen.add(module)
        inner = ROOT / "xlite" / module.replace(".", "/")
        path = inner / "__init__.py" if inner.is_dir() else inner.with_suffix(".py")
        loaded = {name.split(".")[0] for name in imports(tree_of(path), lazy=False)}
        assert not loaded & heavy, module
        todo |= own_imports(path, lazy=False) - seen


@pytest.mark.parametrize(
    "path", sources("xlite", "app", "pages"), ids=lambda path: str(path.relative_to(ROOT))
)
def test_frameworks_stay_at_their_edge(path: Path) -> None:
    place = path.relative_to(ROOT).as_posix()
    for name in imports(tree_of(path)):
        homes = ONLY_IN.get(name.split(".")[0])
        assert homes is None or place.startswith(homes), f"{place} imports {name}"


@pytest.mark.parametrize(
    "path", sources("xlite", "app", "pages"), ids=lambda path: str(path.relative_to(ROOT))
)
def test_no_error_is_swallowed_and_no_path_is_bent(path: Path) -> None:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.ExceptHandler):
            caught = ast.unparse(node.type) if node.type else "everything"
            assert caught not in {"everything", "Exception", "BaseException"}, f"line {node.lineno}"
        if isinstance(node, ast.Attribute):
            assert ast.unparse(node) not in {"sys.path", "warnings.filterwarnings", "warnings.simplefilter"}


def test_every_setting_that_a_message_names_is_one_of_a_run() -> None:
    """A page looks its field title up; an option that is not a setting is an `Option`, with its own title."""
    calls = (
        (path, node)
        for path in sources("xlite", "app", "pages")
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Setting"
    )
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.args[0].value!r}"
        for path, node in calls
        if isinstance(node.args[0], ast.Constant) and node.args[0].value not in TrainConfig.model_fields
    ]
    assert wrong == []


def test_the_picture_of_the_layers_shows_all_that_is_in_one_in_its_place() -> None:
    assert layers.PICTURE.read_text(encoding="utf-8") == layers.draw(), "run `python docs/layers.py`"
    levels = {name: level for level, names in enumerate(LAYERS) for name in names}
    rows = [[name.removesuffix(".py").rstrip("/") for name in names] for names, _, _ in layers.ROWS]
    heights = [max((levels[name] for name in row if name in levels), default=len(LAYERS)) for row in rows]
    assert heights == sorted(heights, reverse=True)
    assert levels.keys() - {"__main__"} <= {name for row in rows for name in row}


def test_the_document_says_which_modules_need_torch() -> None:
    rows = (ROOT / "docs" / "ARCHITECTURE.md").read_text(encoding="utf-8").splitlines()
    told = {place for row in rows if row.startswith("| torch") for place in re.findall("`(.+?)`", row)}
    assert {f"xlite/{place}" for place in told} == set(ONLY_IN["torch"])
    for place in ONLY_IN["torch"]:
        loads = {name.split(".")[0] for path in sources(place.rstrip("/")) for name in imports(tree_of(path))}
        assert "torch" in loads, place
