"""torchxrayvision's networks as teachers, loaded by the library itself from files where it looks for them."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from xlite.errors import CheckpointError
from xlite.findings import FINDINGS
from xlite.images import Preprocess
from xlite.models import xrv
from xlite.training.teachers import open_teacher

UNKNOWN = torch.full((1, 14), torch.nan)

MAKE = """
import sys, warnings, numpy as np, torch
import torchxrayvision as xrv
from safetensors.torch import save_file

name, film, out = sys.argv[1:]
torch.manual_seed(0)
model = xrv.models.DenseNet(num_classes=18).eval()
path = xrv.utils.get_cache_dir() + xrv.models.model_urls[name]["weights_url"].rpartition("/")[2]
torch.save(model, path)
loaded = xrv.models.DenseNet(weights=name)
loaded.op_threshs = None
x = torch.from_numpy(xrv.utils.normalize(np.load(film), 255)[None, None])
logits = loaded(x)[0].detach()
save_file({label: logits[i].clone() for i, label in enumerate(loaded.targets) if label}, out)
"""


def logits_of_the_library(name: str, film: np.ndarray, tmp_path: Path) -> dict[str, float]:
    """Lays random weights where the library looks for `name`; what its network says of the film."""
    (tmp_path / ".torchxrayvision" / "models_data").mkdir(parents=True)
    np.save(tmp_path / "film.npy", film)
    words = [sys.executable, "-c", MAKE, name, str(tmp_path / "film.npy"), str(tmp_path / "logits")]
    subprocess.run(words, check=True)
    return {label: float(value) for label, value in load_file(tmp_path / "logits").items()}


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library with a home of its own; skipped if the extra is not installed."""
    if importlib.util.find_spec(xrv.LIBRARY) is None:
        pytest.skip(f"{xrv.LIBRARY} is not installed")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))


@pytest.mark.release
@pytest.mark.slow
def test_a_network_of_the_library_teaches_what_it_says_by_name(library, tmp_path):
    film = np.random.default_rng(0).integers(0, 256, (224, 224), dtype=np.uint8)
    expected = logits_of_the_library("densenet121-res224-chex", film, tmp_path)
    spec = "xrv:densenet121-res224-chex"
    teacher, file_logits = open_teacher(spec, Preprocess(224), ["a"], np.zeros((1, 14)), np.array(["1"]))
    answer = teacher(torch.from_numpy(Preprocess(224)(film))[None], UNKNOWN)
    own = [expected.get(name, np.nan) for name in FINDINGS]
    np.testing.assert_allclose(answer.logits[0], own, rtol=1e-3, atol=1e-3)
    assert np.isnan(own).sum() == 7 and file_logits is None
    assert answer.features.shape == (1, 1024, 7, 7)
    lacks = "Infiltration, Mass, Nodule, Emphysema, Fibrosis, Pleural_Thickening, Hernia"
    assert teacher.sentence == (
        f"Teacher: {spec} (densenet121 at 224 px, without {lacks}); "
        "a teacher speaks of 50.0 % of the labels, the others count alone"
    )
    assert teacher.seen == () and xrv.LIBRARY not in sys.modules
    # another teacher fills what this one lacks
    rows = ["image," + ",".join(FINDINGS), "a.png" + ",0.5" * 14]
    (tmp_path / "known.csv").write_text("\n".join(rows) + "\n")
    both, _ = open_teacher(
        f"{spec},{tmp_path}/known.csv", Preprocess(224), ["a"], np.zeros((1, 14)), np.array(["1"])
    )
    assert "count alone" not in both.sentence and both.digest != teacher.digest


@pytest.mark.release
@pytest.mark.slow
def test_what_the_library_cannot_load_is_said_in_a_sentence(library, tmp_path):
    with pytest.raises(
        CheckpointError, match="has no DenseNet of that name; it has all, densenet121-res224-all"
    ):
        xrv.load_xrv("resnet50-res512-all")
    cache = tmp_path / ".torchxrayvision" / "models_data"
    cache.mkdir(parents=True)
    file = cache / "nih-densenet121-d121-tw-lr001-rot45-tr15-sc15-seed0-best.pt"
    file.write_bytes(b"no pickle")
    with pytest.raises(CheckpointError, match="nih could not be read: .*UnpicklingError"):
        xrv.load_xrv("nih")


def test_without_the_library_a_sentence_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(xrv, "LIBRARY", "a_library_that_is_not_there")
    with pytest.raises(CheckpointError, match=r"xlite-cxr\[xrv\]"):
        open_teacher("xrv:nih", Preprocess(64), ["a"], np.zeros((1, 14)), np.array(["1"]))


@pytest.mark.parametrize("name", ["nih", "densenet121-res224-all", "rsna"])
def test_weights_that_saw_nih_films_say_so(name):
    assert xrv.seen(name) == (
        f"torchxrayvision's weights {name}, which learned from ChestX-ray14 films; which ones was not kept"
    )


@pytest.mark.parametrize("name", ["densenet121-res224-pc", "mimic_nb", "chex"])
def test_weights_of_other_hospitals_say_nothing(name):
    assert xrv.seen(name) == ""
