import json
import os
import pickle
import resource
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from xlite.errors import CheckpointError
from xlite.findings import FINDINGS
from xlite.images import Preprocess
from xlite.metrics.calibration import Platt
from xlite.models.checkpoint import load_model, save_model
from xlite.models.info import ModelInfo, ModelNotes, read_info
from xlite.models.student import Student

TINY = "test_resnet.r160_in1k"
INFO = ModelInfo(
    backbone=TINY,
    attention="performer",
    hidden=16,
    dropout=0.1,
    preprocess=Preprocess(64, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25)),
    split_id="patient-42-1a2b3c4d",
    label_version="2020",
    thresholds={finding: 0.1 + 0.01 * i for i, finding in enumerate(FINDINGS)},
    calibration=Platt(scale=(1.1,) * 14, bias=(-0.3,) * 14),
    notes={"run": "student", "teacher": None, "date": "2026-01-01", "unicode": "µ – ü"},
)


@pytest.fixture(scope="module")
def model() -> Student:
    torch.manual_seed(0)
    return Student(TINY, "performer", 16, 0.1)


@pytest.fixture
def path(tmp_path, model) -> Path:
    save_model(tmp_path / "model.safetensors", model, INFO)
    return tmp_path / "model.safetensors"


def test_a_model_comes_back_as_it_was_saved(path, model):
    loaded, info = load_model(path)
    assert info == INFO
    assert not loaded.training
    mine, theirs = model.state_dict(), loaded.state_dict()
    assert mine.keys() == theirs.keys() and all(torch.equal(mine[k], theirs[k]) for k in mine)
    x = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(loaded(x), model.eval()(x))


def test_a_model_of_fewer_stages_comes_back(tmp_path):
    cut = Student(TINY, "mhsa", 16, 0.1, stages=3).eval()
    save_model(tmp_path / "cut.safetensors", cut, INFO.model_copy(update={"attention": "mhsa", "stages": 3}))
    loaded, _ = load_model(tmp_path / "cut.safetensors")
    x = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(loaded(x), cut(x))


def test_the_header_says_all_that_serving_needs(path):
    with safe_open(path, framework="pt") as file:
        header = file.metadata()
    assert header.pop("format") == "xlite-student-1"
    assert {key: json.loads(text) for key, text in header.items()} == {
        "backbone": TINY,
        "attention": "performer",
        "hidden": 16,
        "dropout": 0.1,
        "stages": 0,
        "preprocess": {"size": 64, "mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25]},
        "split_id": "patient-42-1a2b3c4d",
        "label_version": "2020",
        "thresholds": INFO.thresholds,
        "thresholds_chosen_on": None,
        "calibration": {"method": "platt", "scale": [1.1] * 14, "bias": [-0.3] * 14},
        "validation": None,
        "notes": {"run": "student", "teacher": None, "date": "2026-01-01", "unicode": "µ – ü"},
        "findings": list(FINDINGS),
    }


def test_saving_takes_the_place_of_the_old_file_and_leaves_nothing_else(path, model):
    save_model(path, model, INFO.model_copy(update={"notes": ModelNotes(epoch=2)}))
    assert load_model(path)[1].notes == ModelNotes(epoch=2)
    assert [p.name for p in path.parent.iterdir() if p.is_file()] == [path.name]


def test_a_save_that_breaks_leaves_the_old_file(path, model, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        save_model(path, model, INFO.model_copy(update={"notes": ModelNotes(epoch=2)}))
    assert load_model(path)[1] == INFO
    assert [p.name for p in path.parent.iterdir() if p.is_file()] == [path.name]


def test_nan_in_the_info_is_refused(tmp_path, model):
    with pytest.raises(ValueError, match="JSON"):
        save_model(
            tmp_path / "model.safetensors",
            model,
            INFO.model_copy(update={"notes": ModelNotes(auc=float("nan"))}),
        )


class Evil:
    def __init__(self, victim: Path):
        self.victim = victim

    def __reduce__(self):
        return os.system, (f"touch {self.victim}",)


def test_a_pickle_is_refused_and_never_opened(tmp_path):
    (tmp_path / "plain.ckpt").write_bytes(pickle.dumps(Evil(tmp_path / "owned")))
    torch.save({"model": Evil(tmp_path / "owned")}, tmp_path / "torch.pt")
    for name in ("plain.ckpt", "torch.pt"):
        with pytest.raises(
            CheckpointError, match=f"{name} is not a model file: it is a pickle, which could run code"
        ):
            load_model(tmp_path / name)
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is not a model file: it is empty"),
        (b"dear reader, this is a text file", "is not a model file: it is not in the safetensors format"),
        (b"\x00" * 100, "is not a model file: it is not in the safetensors format"),
    ],
)
def test_other_files_are_refused(tmp_path, content, sentence):
    (tmp_path / "other").write_bytes(content)
    with pytest.raises(CheckpointError, match=f"{sentence}$"):
        load_model(tmp_path / "other")


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    for path in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(CheckpointError, match=f"there is no model file {path}"):
            load_model(path)


@pytest.mark.parametrize("keep", [7, 300, 0.5, -1])
def test_a_file_cut_short_is_refused(path, keep):
    whole = path.read_bytes()
    path.write_bytes(whole[: int(keep * len(whole)) if isinstance(keep, float) else keep])
    with pytest.raises(CheckpointError, match="is not a model file"):
        load_model(path)


def test_another_models_safetensors_is_refused(tmp_path):
    save_file({"weight": torch.zeros(2)}, tmp_path / "other.safetensors")
    with pytest.raises(CheckpointError, match="holds tensors but is not an X-Lite model"):
        load_model(tmp_path / "other.safetensors")


def rewrite(path: Path, tensors: dict | None = None, **header: str) -> None:
    """The same file with some of its header or tensors changed; None removes."""
    with safe_open(path, framework="pt") as file:
        old = file.metadata()
    weights = load_file(path) | (tensors or {})
    save_file(
        {name: tensor for name, tensor in weights.items() if tensor is not None},
        path,
        {key: text for key, text in (old | header).items() if text is not None},
    )


def platt(**changes: object) -> str:
    """Platt's calibrator as the header writes it, with some of it changed."""
    return json.dumps({"method": "platt", "scale": [1.0] * 14, "bias": [0.0] * 14} | changes)


def isotonic(logits: list, probabilities: list) -> str:
    """An isotonic calibrator as the header writes it."""
    return json.dumps({"method": "isotonic", "logits": logits, "probabilities": probabilities})


@pytest.mark.parametrize(
    "calibration",
    [
        {"method": "temperature", "temperature": 1.5},
        {
            "method": "isotonic",
            "logits": [[-1.0, 2.0]] * 13 + [[]],
            "probabilities": [[0.0, 0.5]] * 13 + [[]],
        },
    ],
)
def test_every_calibrator_is_read_back(path, calibration):
    rewrite(path, calibration=json.dumps(calibration))
    found = load_model(path)[1].calibration
    assert found == read_info(path).calibration
    assert found.model_dump(mode="json") == calibration


@pytest.mark.slow
@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        ({"findings": json.dumps(sorted(FINDINGS))}, "answers for other findings, or in another order"),
        ({"findings": json.dumps(FINDINGS[:13])}, "answers for other findings, or in another order"),
        ({"findings": None}, "answers for|is damaged"),
        ({"backbone": '"resnet19"'}, "cannot be rebuilt: 'resnet19' is not a backbone"),
        ({"attention": '"lstm"'}, "cannot be rebuilt: 'lstm' is not a kind of attention"),
        ({"attention": '"mhsa"'}, "lacks attention.attention|has unknown attention.attention.directions"),
        ({"hidden": "1000000000000"}, "is damaged .hidden is 1000000000000: .*8192"),
        ({"hidden": "-1"}, "is damaged .hidden is -1: .*0"),
        ({"hidden": "0"}, "lacks classifier.1|has unknown classifier.0|has classifier.3"),
        ({"hidden": "32"}, r"has classifier.0.bias \(16,\), expected \(32,\)"),
        ({"hidden": "not json"}, "the header of .* is damaged"),
        ({"dropout": "2"}, "is damaged .dropout is 2"),
        ({"preprocess": '{"size": 64}'}, "is damaged .*mean"),
        (
            {"preprocess": '{"size": "64", "mean": [0, 0, 0], "std": [1, 1, 1]}'},
            "is damaged .preprocess.size is '64'",
        ),
        ({"backbone": "[1]"}, "is damaged .backbone is"),
        ({"attention": None}, "is damaged .attention is missing"),
        ({"split_id": "3"}, "is damaged .split_id is 3"),
        ({"format": "xlite-student-9"}, "holds tensors but is not an X-Lite model"),
        ({"colour": '"blue"'}, "is damaged .*colour"),
        *[
            ({"preprocess": f'{{"size": 64, "mean": {mean}, "std": {std}}}'}, f"is damaged .{said}")
            for mean, std, said in [
                ("[0, 0]", "[1, 1, 1]", "preprocess.mean"),
                ('[0, 0, "a"]', "[1, 1, 1]", "preprocess.mean.2 is 'a'"),
                ("[0, 0, NaN]", "[1, 1, 1]", "preprocess.mean is"),
                (f"[0, 0, {10**400}]", "[1, 1, 1]", "preprocess.mean"),
                ("[0, 0, 0]", "[1, 0, 1]", "preprocess.std is"),
                ("[0, 0, 0]", "[1, 1e-300, 1]", "preprocess.std is .*expected 3 numbers from 1e-06 to 1000"),
                ("[0, 0, 0]", "[1, 1, 1e38]", "preprocess.std is"),
                ("[0, 0, 0]", "[1, 1, NaN]", "preprocess.std is"),
                ("[0, 0, 1e38]", "[1, 1, 1]", "preprocess.mean is .*expected 3 numbers from -1000 to 1000"),
            ]
        ],
        *[
            ({"calibration": text}, f"is damaged .calibration.*{said}")
            for text, said in [
                ("[]", r"is \[\]: input should be an object"),
                ("{}", "method"),
                (platt(method="isotonic"), "isotonic"),
                (platt(colour=1), "colour"),
                (platt(scale=[1.0] * 13), "scale"),
                (platt(scale=[1.0] * 13 + [0.0]), "scale"),
                (platt(scale=[1.0] * 13 + [float("nan")]), "scale"),
                (platt(scale=[1.0] * 13 + [True]), "scale"),
                (platt(scale=[1.0] * 13 + [10**400]), "scale"),
                (platt(scale=1.0), "scale"),
                (platt(bias=[0.0] * 15), "bias"),
                (platt(bias=[0.0] * 13 + [float("-inf")]), "bias"),
                (platt(bias=[0.0] * 13 + ["0"]), "bias"),
                (platt(method="spline"), "'spline'.*'temperature'"),
                (platt(method=["platt"]), "method"),
                ('{"method": "temperature", "temperature": 0}', "temperature is"),
                ('{"method": "temperature", "temperature": 1e-320}', "temperature is .*from 0.001 to 1e.06"),
                ('{"method": "temperature", "temperature": 1e300}', "temperature is"),
                (platt(scale=[1.0] * 13 + [1e-300]), "scale is .*expected 14 numbers from 0.001 to 1e.06"),
                (platt(bias=[0.0] * 13 + [-1e300]), "bias is .*expected 14 numbers from -1e.06 to 1e.06"),
                (isotonic([[-1e300, 1e300]] * 14, [[0.0, 0.5]] * 14), "logits is .*expected 2 numbers"),
                (isotonic([[0.0]] * 13, [[0.5]] * 14), "logits are .*expected 14 lists"),
                (isotonic([[0.0]] * 14, [[]] * 14), "logits is"),
                (isotonic([[0.0]] * 14, [0.5] * 14), "logits is"),
                (isotonic([[0.0, 0.0]] * 14, [[0.1, 0.2]] * 14), "expected rising numbers"),
                (isotonic([[0.0, 1.0]] * 14, [[0.2, 0.1]] * 14), "expected rising ones in 0 to 1"),
                (isotonic([[0.0, 1.0]] * 14, [[0.2, 1.1]] * 14), "expected rising ones in 0 to 1"),
            ]
        ],
        *[
            ({"thresholds": json.dumps(value)}, f"is damaged .{said}")
            for value, said in [
                ([0.5] * 14, "thresholds is"),
                ({}, "thresholds lack Atelectasis, Cardiomegaly"),
                (dict.fromkeys(FINDINGS[1:], 0.5), "thresholds lack Atelectasis.$"),
                (dict.fromkeys((*FINDINGS, "Gout"), 0.5), "thresholds know no Gout"),
                (dict.fromkeys(FINDINGS, 0.5) | {"Mass": 1.5}, "thresholds.Mass is 1.5"),
                (dict.fromkeys(FINDINGS, 0.5) | {"Mass": float("nan")}, "thresholds.Mass is nan"),
                (dict.fromkeys(FINDINGS, 0.5) | {"Mass": None}, "thresholds.Mass is None"),
            ]
        ],
        ({"notes": "[]"}, "is damaged .notes is .."),
        ({"notes": "null"}, "is damaged .notes is None"),
        ({"notes": '{"seed": "first"}'}, "is damaged .notes.seed is 'first'"),
        ({"notes": '{"train_share": 0}'}, "is damaged .notes.train_share is 0"),
        ({"notes": '{"mine": NaN}'}, "is damaged .Out of range float values are not JSON compliant"),
        ({"backbone": json.dumps("a" * 10**6)}, "is damaged .backbone is 'aaa.*at most 200 characters"),
    ],
)
def test_a_header_that_does_not_hold_is_refused_and_named(path, header, sentence):
    rewrite(path, **header)
    with pytest.raises(CheckpointError, match=sentence):
        load_model(path)


def test_a_header_without_calibration_thresholds_and_notes_is_read(path):
    rewrite(path, calibration="null", thresholds="null", notes="{}")
    plain = {"calibration": None, "thresholds": None, "notes": ModelNotes()}
    assert load_model(path)[1] == INFO.model_copy(update=plain)


@pytest.mark.parametrize(
    ("tensors", "sentence"),
    [
        ({"classifier.3.bias": None}, "it lacks classifier.3.bias"),
        ({"classifier.9.bias": torch.zeros(1)}, "it has unknown classifier.9.bias"),
        (
            {"classifier.3.bias": torch.zeros(15)},
            r"it has classifier.3.bias \(15,\), expected \(14,\)",
        ),
    ],
)
def test_weights_that_do_not_fit_are_refused_and_named(path, tensors, sentence):
    rewrite(path, tensors)
    with pytest.raises(CheckpointError, match=f"does not fit its model: {sentence}"):
        load_model(path)


def damaged(kind: str, tensors: dict) -> dict:
    """The tensors whose first running variance and first weight no longer are what they should be."""
    weight = next(name for name in tensors if name.endswith("conv1.weight"))
    variance = next(name for name in tensors if name.endswith("running_var"))
    changes = {
        "nan": {weight: torch.full_like(tensors[weight], torch.nan)},
        "infinite": {weight: tensors[weight].clone().index_fill_(0, torch.tensor([1]), -torch.inf)},
        "int8": {weight: tensors[weight].to(torch.int8)},
        "bool": {weight: tensors[weight] > 0},
        "complex64": {weight: tensors[weight].to(torch.complex64)},
        "float8": {weight: tensors[weight].to(torch.float8_e4m3fn)},
        "too large": {weight: tensors[weight].double() + 1e300},
        "float counter": {name: t.float() for name, t in tensors.items() if name.endswith("_tracked")},
        "negative": {variance: -torch.ones_like(tensors[variance])},
        "none": {variance: torch.zeros_like(tensors[variance])},
        "all half": {k: t.half() if t.is_floating_point() else t for k, t in tensors.items()},
        "all bfloat16": {k: t.bfloat16() if t.is_floating_point() else t for k, t in tensors.items()},
        "all double": {k: t.double() if t.is_floating_point() else t for k, t in tensors.items()},
    }
    return changes[kind]


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("nan", "has values that are not finite in backbone.*conv1.weight$"),
        ("infinite", "has values that are not finite in backbone.*conv1.weight$"),
        ("too large", "has values that are not finite in backbone.*conv1.weight$"),
        ("int8", "conv1.weight of type int8, expected float32 or float64 or float16 or bfloat16$"),
        ("bool", "conv1.weight of type bool, expected float32"),
        ("complex64", "conv1.weight of type complex64, expected float32"),
        ("float8", "conv1.weight of type float8_e4m3fn, expected float32"),
        ("float counter", "num_batches_tracked of type float32, expected int64 or .* and .* more$"),
        ("negative", "has variances below 0, .*running_var$"),
        ("none", "has no variance above 0, .*running_var$"),
    ],
)
def test_weights_that_are_no_usable_numbers_are_refused_by_name(path, kind, sentence):
    rewrite(path, damaged(kind, load_file(path)))
    with pytest.raises(CheckpointError, match=f"^{path} .*{sentence}"):
        load_model(path)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["all half", "all bfloat16", "all double"])
def test_weights_of_another_precision_are_read_as_float32(path, kind):
    before = load_model(path)[0].state_dict()
    rewrite(path, damaged(kind, load_file(path)))
    after = load_model(path)[0].state_dict()
    for name, tensor in after.items():
        assert tensor.dtype == before[name].dtype
        torch.testing.assert_close(tensor, before[name], rtol=1e-2, atol=1e-3)


def test_a_type_that_torch_does_not_know_is_named(path):
    head = b'{"a":{"dtype":"F4","shape":[4],"data_offsets":[0,2]}}'
    path.write_bytes(len(head).to_bytes(8, "little") + head + b"\0\0")
    with pytest.raises(CheckpointError, match="holds numbers of type 'F4', which no model here uses"):
        load_model(path)


@pytest.mark.parametrize("field", ["notes", "backbone", "thresholds", "colour"])
@pytest.mark.parametrize("deep", ["[" * 100_000, "[" * 100_000 + "]" * 100_000, '{"a":' * 100_000])
def test_a_header_that_nests_deep_is_refused(path, field, deep):
    rewrite(path, **{field: deep})
    for read in (load_model, read_info):
        with pytest.raises(CheckpointError, match="the header of .* is damaged .recursion limit exceeded"):
            read(path)


@pytest.mark.slow
def test_a_giant_backbone_is_refused_before_it_is_built(path):
    """It would take 7 GB; what is compared first has shapes and no numbers."""
    rewrite(path, backbone='"vit_gigantic_patch14_clip_224"', preprocess=PREPROCESS_224)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(CheckpointError, match="does not fit its model: it lacks backbone.blocks.0.attn"):
        load_model(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000  # kB


PREPROCESS_224 = json.dumps({"size": 224, "mean": [0.5] * 3, "std": [0.25] * 3})


def test_a_size_that_the_backbone_does_not_take_is_refused(tmp_path):
    info = INFO.model_copy(update={"backbone": "test_vit", "attention": "none"})
    save_model(tmp_path / "vit.safetensors", Student("test_vit", "none", 16, 0.1), info)
    with pytest.raises(CheckpointError, match="preprocess.size is 64, and test_vit takes no films of that"):
        load_model(tmp_path / "vit.safetensors")


@pytest.fixture(scope="module")
def whole(tmp_path_factory, model) -> bytes:
    path = tmp_path_factory.mktemp("whole") / "model.safetensors"
    save_model(path, model, INFO)
    return path.read_bytes()


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(at=st.integers(0, 3000), data=st.binary(min_size=1, max_size=20))
def test_a_damaged_header_is_refused_or_read(tmp_path_factory, whole, at, data):
    """Bytes written over the header: a CheckpointError, or a model whose every part was checked."""
    path = tmp_path_factory.mktemp("damaged") / "model.safetensors"
    path.write_bytes(whole[:at] + data + whole[at + len(data) :])
    try:
        loaded, info = load_model(path)
    except CheckpointError:
        return
    assert info.findings == FINDINGS
    assert loaded(torch.zeros(1, 3, 64, 64)).shape == (1, 14)


SAVER = """
import sys, torch
from pathlib import Path
from xlite.models.checkpoint import load_model, save_model
path = Path(sys.argv[1])
model, info = load_model(path)
print("ready", flush=True)
for count in range(10**6):
    for p in model.parameters():
        p.data.fill_(count)
    save_model(path, model, info.noting(epoch=count))
"""


@pytest.mark.release
@pytest.mark.slow
def test_a_reader_and_a_kill_never_meet_a_half_written_file(path):
    counts = []
    with subprocess.Popen([sys.executable, "-c", SAVER, str(path)], stdout=subprocess.PIPE) as saver:
        assert saver.stdout.readline() == b"ready\n"
        for _ in range(40):
            model, info = load_model(path)
            if info.notes.epoch is not None:
                counts.append(info.notes.epoch)
                assert all((p == counts[-1]).all() for p in model.parameters())
        saver.kill()
    assert counts == sorted(counts) and len(set(counts)) > 1
    load_model(path)


def test_notes_are_written_as_they_were_read(path, model):
    """Also those that nothing here reads; and no default becomes a note."""
    noted = {"run": "r", "epoch": 3, "teacher_knows": [{"said": "µ"}], "mine": [1, {"a": None}]}
    rewrite(path, notes=json.dumps(noted))
    save_model(path, model, load_model(path)[1].noting(seed=4))
    with safe_open(path, framework="pt") as file:
        assert json.loads(file.metadata()["notes"]) == noted | {"seed": 4}
