"""`xlite export --space`: a model and the demo as a folder that a model hub runs as a Gradio Space. No torch.

The package lies in the folder itself: what runs there is what was exported, whether or not this version was
ever released. `requirements.txt` lists what the package needs.
"""

import re
import shutil
import sys
import tomllib
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import xlite
from xlite.engines.onnx_engine import OnnxEngine
from xlite.errors import RunError
from xlite.export.folder import replaced_folder
from xlite.export.front_matter import ATTRIBUTES, license_of, with_front_matter
from xlite.models.info import ModelInfo
from xlite.models.onnx_file import read_onnx
from xlite.places import bundled
from xlite.text import labels_of

_DISTRIBUTION, _EXTRA = "xlite-cxr", "share"
_INSTALL = f"`pip install '{_DISTRIBUTION}[{_EXTRA}]'`"
_UNWANTED = shutil.ignore_patterns("__pycache__", "bundled", "web")


def write_space(model: Path, source: Path, name: str, folder: Path) -> None:
    """Writes the Space of an exported model, called `name`, into a folder; `source` is what it was made from.

    Raises CheckpointError for a model that is not an export or does not answer as it did; RunError for a
    folder that may not be written, and if X-Lite or Gradio is not installed here.
    """
    file = read_onnx(model)
    OnnxEngine.of(file, model)  # checks its golden answer
    needs, legal = requirements(), _license()
    readme = with_front_matter(_fields(name, source), _readme(name, file.info))
    with replaced_folder(folder) as draft:
        (draft / f"{name}.onnx").write_bytes(file.content)
        shutil.copyfile(bundled("app", "space.py"), draft / "app.py")
        (draft / "requirements.txt").write_text("".join(f"{need}\n" for need in needs))
        (draft / "README.md").write_bytes(readme)
        (draft / ".gitattributes").write_text(ATTRIBUTES)
        (draft / "LICENSE").write_text(legal, encoding="utf-8")
        inside = draft / "xlite"
        shutil.copytree(Path(xlite.__file__).parent, inside, ignore=_UNWANTED)
        for parts in (("app",), ("checkpoints", "gate")):
            shutil.copytree(bundled(*parts), inside.joinpath("bundled", *parts), ignore=_UNWANTED)


def requirements() -> list[str]:
    """What X-Lite needs for the demo, as requirements.txt has it: at all, and for its extra."""
    declared, extras = _declared(), [_EXTRA]
    needs = set(declared[""])
    for extra in extras:  # which may name others
        for need in declared.get(extra, []):
            if own := re.fullmatch(rf"{_DISTRIBUTION}\[([\w,-]+)\]", need):
                extras += set(own[1].split(",")) - set(extras)
            else:
                needs.add(need)
    return sorted(needs)


def _declared() -> dict[str, list[str]]:
    """The dependencies by extra, those of all under ""; a checkout's may have changed since its install."""
    checkout = bundled("pyproject.toml")
    if checkout.is_file():
        project = tomllib.loads(checkout.read_text(encoding="utf-8"))["project"]
        return {"": project["dependencies"], **project["optional-dependencies"]}
    found: dict[str, list[str]] = {"": []}
    for line in _installed(_DISTRIBUTION).requires or []:
        need, _, marker = line.partition(";")
        extra = re.fullmatch(r"""\s*extra == ['"](.+)['"]\s*""", marker)
        found.setdefault(extra[1] if extra else "", []).append(need.strip())
    return found


def _license() -> str:
    """The text of X-Lite's licence, which lies beside the package in a checkout."""
    checkout = bundled("LICENSE")
    if checkout.is_file():
        return checkout.read_text(encoding="utf-8")
    return _installed(_DISTRIBUTION).read_text("licenses/LICENSE") or ""


def _installed(name: str) -> Distribution:
    try:
        return distribution(name)
    except PackageNotFoundError as error:
        raise RunError(f"a Space is made from what is installed, and {name} is not: {_INSTALL}") from error


def _fields(name: str, source: Path) -> dict[str, str | bool | list[str]]:
    """As the hub's configuration reference of Spaces has them."""
    return {
        "title": f"X-Lite: {name}",
        "emoji": "🩻",
        "colorFrom": "green",
        "colorTo": "gray",
        "sdk": "gradio",
        "sdk_version": _installed("gradio").version,
        "python_version": ".".join(map(str, sys.version_info[:2])),
        "app_file": "app.py",
        "pinned": False,
        "license": license_of(source),
        "short_description": "Reads a chest film: 14 findings, a map for each",
        "tags": ["chest-x-ray", "medical-imaging"],
    }


def _readme(name: str, info: ModelInfo) -> str:
    return f"""# X-Lite reads a chest film

**Research software, not a medical device. Its output is not a diagnosis. Films are not kept.**

Model {name}: {info.backbone}, trained on split {info.split_id} ({labels_of(info.label_version)}).

`app.py` starts the demo of X-Lite {xlite.__version__}, which lies in `xlite/` (Apache-2.0, see `LICENSE`).
Whoever may open this Space may use it. It answers by the Space's own name; list others in `XLITE_HOSTS`.
"""
