"""`xlite export --web`: a model as one static page that reads films in a browser. No torch.

The page's own files lie in `app/web`. What it says of the model stands in `model.json`, made here, so that
colours, legends and cautions have one source; `index.html` holds the hash of it, and it those of the others.
"""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from xlite.engines.onnx_engine import OnnxEngine
from xlite.explain.drawing import OPACITY, scale_table
from xlite.explain.faults import FAULTS, size_caution
from xlite.explain.methods import METHODS, map_legend
from xlite.export.folder import replaced_folder
from xlite.export.web_guards import gate_network, guard_facts
from xlite.export.web_runtime import WASM, runtime_files
from xlite.export.web_worth import worth_facts, worth_header
from xlite.findings import FINDINGS, spoken
from xlite.guards.gate import Gate
from xlite.metrics.calibration import uncalibrated
from xlite.models.info import ModelInfo
from xlite.models.onnx_file import MAPS, OnnxFile, read_onnx
from xlite.places import bundled
from xlite.reading import withheld_sentence
from xlite.text import few_patients, labels_of

_DIGEST = "DIGEST"  # in index.html, where the hash of model.json goes


def write_page(model: Path, name: str, folder: Path, runtime: Path | None) -> None:
    """Writes the page of an exported model, called `name`, into a folder.

    runtime: onnxruntime-web, packed or unpacked; by default npm brings it. Raises CheckpointError for a model
    that is not an export or does not answer as it did, and if there is no runtime; RunError for a folder that
    may not be written.
    """
    file = read_onnx(model)
    engine = OnnxEngine.of(file, model)  # checks its golden answer
    parts = runtime_files(runtime)
    grid = np.shape(file.facts.golden.layercam)[1:]
    network = gate_network()
    facts = _facts(file.info, name, (grid[0], grid[1]), engine.is_ensemble) | {
        "guards": guard_facts(Gate.load(), file.facts.golden.image()),
        "likeness": _likeness(engine, file),
        "golden": file.facts.golden.model_dump(),
        "source": {"sha256": file.facts.source_sha256, "precision": file.facts.precision},
        "files": {
            "model": hashlib.sha256(file.content).hexdigest(),
            "gate": hashlib.sha256(network).hexdigest(),
            "runtime": hashlib.sha256(parts[WASM]).hexdigest(),
        },
    }
    said = json.dumps(facts, allow_nan=False, separators=(",", ":")).encode()
    with replaced_folder(folder) as draft:
        shutil.copytree(bundled("app", "web"), draft, dirs_exist_ok=True)
        shutil.copyfile(bundled("app", "icon.svg"), draft / "icon.svg")
        for part, content in parts.items():
            (draft / "runtime" / part).write_bytes(content)
        (draft / "model.onnx").write_bytes(file.content)
        (draft / "gate.onnx").write_bytes(network)
        (draft / "model.json").write_bytes(said)
        page = (draft / "index.html").read_text(encoding="utf-8")
        page = page.replace(_DIGEST, hashlib.sha256(said).hexdigest(), 1)
        (draft / "index.html").write_text(page, encoding="utf-8")


def _likeness(engine: OnnxEngine, file: OnnxFile) -> dict[str, Any] | None:
    """What the page needs to tell films that are unlike those of training; None if the file does not say."""
    likeness = file.info.likeness
    if likeness is None:
        return None
    film = file.info.preprocess.normalize(file.facts.golden.image())[None]
    golden = likeness.distance(engine.outputs(film, "features")["features"])[0]
    return likeness.model_dump() | {"golden": float(golden)}


def _facts(info: ModelInfo, name: str, grid: tuple[int, int], is_ensemble: bool) -> dict[str, Any]:
    """What the page says of a model whose maps have `grid` cells."""
    return {
        "name": name,
        "about": f"Model {name}: {info.backbone}, trained on split {info.split_id} "
        f"({labels_of(info.label_version)}).",
        "preprocess": {
            "size": info.preprocess.size,
            "mean": info.preprocess.mean,
            "std": info.preprocess.std,
        },
        "findings": [_finding(info, finding, grid[0] * grid[1], is_ensemble) for finding in FINDINGS],
        "worth": worth_header(is_ensemble),
        "calibration": info.calibration and info.calibration.method,
        "withheld": withheld_sentence(info.thresholds, info.thresholds_chosen_on, info.averaged),
        "maps": {
            method: {
                "title": METHODS[method].title,
                "description": METHODS[method].description,
                "legend": map_legend(grid, method),
            }
            for method in MAPS
        },
        "faults": FAULTS,
        "opacity": OPACITY,
        "colours": scale_table().tobytes().hex(),
    }


def _finding(info: ModelInfo, finding: str, cells: int, is_ensemble: bool) -> dict[str, Any]:
    cut = (info.thresholds or {}).get(finding)
    one = (info.thresholds_chosen_on or {}).get(finding)
    few = f": {few_patients(one.positive, one.negative)}" if one else ""
    return {
        "name": finding,
        "title": spoken(finding),
        "threshold": cut,
        "positive": one.positive if one else None,
        "withheld": f"no threshold{few}" if info.thresholds and cut is None else "",
        "calibrated": finding not in uncalibrated(info.calibration),
        "caution": size_caution(finding, cells) or "",
        **worth_facts(info, finding, is_ensemble),
    }
