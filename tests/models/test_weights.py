import hashlib
import http.server
import io
import os
import shlex
import socket
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
import timm
import torch
import torchvision
from huggingface_hub import constants
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from tiny_models import TINY, random_statistics, same, save_student, tiny_info, untrained
from torch import nn

from xlite.config import make_config
from xlite.errors import CheckpointError
from xlite.images import Preprocess
from xlite.models.batchnorm import is_folded, refit_batchnorm
from xlite.models.checkpoint import save_model
from xlite.models.student import Student
from xlite.models.weights import load_start_weights, read_state_dict, to_timm_names

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("backbone", "torchvisions"),
    [
        ("mobilenetv2_100", torchvision.models.mobilenet_v2),
        ("resnet18", torchvision.models.resnet18),
        pytest.param("densenet121", torchvision.models.densenet121, marks=pytest.mark.slow),
    ],
)
def test_a_torchvision_file_gives_torchvisions_features(tmp_path, backbone, torchvisions):
    torch.manual_seed(1)
    source = random_statistics(torchvisions(weights=None))
    torch.save(source.state_dict(), tmp_path / "weights.pth")
    model = untrained(backbone)

    started = load_start_weights(model, tmp_path / "weights.pth")

    tensors = len(source.state_dict()) - 2  # all but the classifier's weight and bias
    assert started.sentence == f"{backbone} starts from {tmp_path / 'weights.pth'} ({tensors} tensors)"
    assert started.noted == f"{backbone} starts from weights.pth ({tensors} tensors)"
    x = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        if backbone == "resnet18":
            expected = nn.Sequential(*list(source.children())[:-2])(x)
        else:
            expected = source.features(x)
        if backbone == "densenet121":
            expected = expected.relu()  # torchvision does it in its forward
        torch.testing.assert_close(model.features(x), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.slow
def test_real_mobilenet_weights_give_torchvisions_features(shared_data):
    path = shared_data / "weights" / "mobilenet_v2_imagenet.pt"
    source = torchvision.models.mobilenet_v2(weights=None).eval()
    source.load_state_dict(torch.load(path, weights_only=True))
    model = untrained("mobilenetv2_100")
    assert not is_folded(model)

    load_start_weights(model, path)

    x = torch.randn(2, 3, 128, 128)
    with torch.no_grad():
        before = model(x)
        torch.testing.assert_close(model.features(x), source.features(x), rtol=1e-4, atol=1e-4)
        assert is_folded(model)
        assert refit_batchnorm(model, [torch.randn(8, 3, 128, 128)]) == 52
        torch.testing.assert_close(model(x), before, rtol=1e-3, atol=1e-5)
    assert not is_folded(model)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "backbone"),
    [
        ("tf_efficientnet_lite0_imagenet.safetensors", "tf_efficientnet_lite0"),
        ("tf_efficientnet_lite2_imagenet.safetensors", "tf_efficientnet_lite2"),
        ("mobilenet_v2_imagenet.pt", "mobilenetv2_100"),
    ],
)
def test_public_imagenet_weights_are_known_by_their_tensors(shared_data, tmp_path, file, backbone):
    path = shared_data / "weights" / file
    known = load_start_weights(untrained(backbone), path)
    assert known.public and known.noted.startswith(f"{backbone} starts from {file} (")
    assert "tensors: ImageNet weights, " in known.noted
    tensors = {name: tensor.clone() for name, tensor in read_state_dict(path).items()}
    next(tensor for tensor in tensors.values() if tensor.ndim == 4)[0, 0, 0, 0] += 1e-3
    torch.save(tensors, tmp_path / file.replace("safetensors", "pt"))
    other = load_start_weights(untrained(backbone), tmp_path / file.replace("safetensors", "pt"))
    assert not other.public and "ImageNet" not in other.noted


def test_old_densenet_names_are_read():
    assert list(to_timm_names({"features.denseblock1.denselayer2.norm.1.weight": torch.zeros(1)})) == [
        "features.denseblock1.denselayer2.norm1.weight"
    ]


@pytest.mark.parametrize("wrapper", [None, "state_dict", "model"])
def test_timm_names_wrappers_and_module_prefixes_are_read(tmp_path, wrapper):
    source = random_statistics(timm.create_model(TINY, num_classes=10))
    state = {f"module.{name}" if wrapper else name: tensor for name, tensor in source.state_dict().items()}
    torch.save({wrapper: state, "epoch": 3} if wrapper else state, tmp_path / "weights.pt")
    model = untrained()
    load_start_weights(model, str(tmp_path / "weights.pt"))
    source.reset_classifier(0, "")
    assert same(model.backbone, source)


def test_a_safetensors_file_is_read_and_may_lack_the_batch_counters(tmp_path):
    source = random_statistics(timm.create_model(TINY, num_classes=10))
    state = {k: t for k, t in source.state_dict().items() if not k.endswith("num_batches_tracked")}
    save_file(state, tmp_path / "weights.safetensors")
    model = untrained()
    load_start_weights(model, tmp_path / "weights.safetensors")
    source.reset_classifier(0, "")
    assert same(model.backbone, source)


def edited(changes: dict) -> dict:
    state = timm.create_model(TINY, num_classes=10).state_dict() | changes
    return {name: tensor for name, tensor in state.items() if tensor is not None}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"conv1.0.weight": None}, "it lacks conv1.0.weight"),
        ({"extra.weight": torch.zeros(1)}, "it has unknown extra.weight"),
        ({"bn1.weight": torch.zeros(3)}, r"it has bn1.weight \(3,\), expected \(32,\)"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_and_named(tmp_path, changes, sentence):
    torch.save(edited(changes), tmp_path / "weights.pt")
    model, untouched = untrained(), untrained()
    with pytest.raises(CheckpointError, match=sentence):
        load_start_weights(model, tmp_path / "weights.pt")
    assert same(model, untouched)


class Evil:
    def __init__(self, victim: Path):
        self.victim = victim

    def __reduce__(self):
        return os.system, (f"touch {self.victim}",)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("notes.pt", b"these are no weights", "is not a plain file of weights"),
        ("empty.pt", b"", "is not a plain file of weights"),
        ("notes.safetensors", b"these are no weights", "is not in the safetensors format"),
    ],
)
def test_a_file_of_another_kind_is_refused(tmp_path, name, content, sentence):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CheckpointError, match=sentence):
        load_start_weights(untrained(), tmp_path / name)


@pytest.mark.filterwarnings("ignore:Detected pickle protocol:UserWarning")
@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=200), at=st.integers(0, 5000), legacy=st.booleans(), cut=st.booleans())
def test_damaged_files_are_refused_or_read(data, at, legacy, cut):
    """Whatever bytes are written over a torch file, the answer is a CheckpointError or tensors."""
    buffer = io.BytesIO()
    torch.save({"a.weight": torch.zeros(300)}, buffer, _use_new_zipfile_serialization=not legacy)
    whole = buffer.getvalue()
    at %= len(whole)
    damaged = whole[:at] + data + (b"" if cut else whole[at + len(data) :])
    with tempfile.TemporaryDirectory() as folder, suppress(CheckpointError):
        path = Path(folder) / "weights.pt"
        path.write_bytes(damaged)
        assert all(isinstance(tensor, torch.Tensor) for tensor in read_state_dict(path).values())


def test_code_in_a_pickle_is_never_run(tmp_path):
    torch.save({"conv1.weight": Evil(tmp_path / "owned")}, tmp_path / "evil.pt")
    with pytest.raises(CheckpointError, match="is not a plain file of weights"):
        load_start_weights(untrained(), tmp_path / "evil.pt")
    assert not (tmp_path / "owned").exists()


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["pth", "safetensors"])
@pytest.mark.parametrize(
    ("name", "change", "sentence"),
    [
        ("layer1.0.conv1.weight", lambda t: t / 0, "has values that are not finite in layer1.0.conv1.weight"),
        (
            "layer1.0.conv1.weight",
            lambda t: t.int(),
            "it has layer1.0.conv1.weight of type int32, expected float32",
        ),
        (
            "layer1.0.conv1.weight",
            lambda t: t > 0,
            "it has layer1.0.conv1.weight of type bool, expected float32",
        ),
        (
            "layer1.0.conv1.weight",
            lambda t: t.to_sparse(),
            "it has layer1.0.conv1.weight, which is not a plain array of numbers",
        ),
        ("bn1.running_var", lambda t: t - 2, "has variances below 0, .* in bn1.running_var"),
    ],
)
def test_starting_weights_that_are_no_usable_numbers_are_refused(tmp_path, suffix, name, change, sentence):
    weights = untrained().backbone.state_dict()
    weights[name] = change(weights[name])
    if weights[name].is_sparse and suffix == "safetensors":
        return  # the format has none
    path = tmp_path / f"weights.{suffix}"
    (save_file if suffix == "safetensors" else torch.save)(weights, path)
    model, untouched = untrained(), untrained()
    with pytest.raises(CheckpointError, match=f"{path} .*{sentence}"):
        load_start_weights(model, path)
    assert same(model, untouched)


def test_a_number_of_5000_digits_in_a_tensors_name_is_refused(tmp_path):
    names = ["features.1.conv.0.0.weight", f"features.{'9' * 5000}.conv.0.0.weight"]
    torch.save({name: torch.zeros(1) for name in names}, tmp_path / "weights.pth")
    with pytest.raises(CheckpointError, match="does not fit its model"):
        load_start_weights(untrained(), tmp_path / "weights.pth")


@pytest.mark.parametrize("content", [[torch.zeros(1)], {"lr": 0.1}, torch.zeros(2)])
def test_a_torch_file_without_a_state_dict_is_refused(tmp_path, content):
    torch.save(content, tmp_path / "other.pt")
    with pytest.raises(CheckpointError, match="holds no state dict"):
        load_start_weights(untrained(), tmp_path / "other.pt")


def test_a_file_that_is_not_there_is_refused():
    with pytest.raises(
        CheckpointError, match="no starting weights nowhere.pt; expected imagenet, none or a file"
    ):
        load_start_weights(untrained(), "nowhere.pt")


def test_none_keeps_the_random_weights():
    model, untouched = untrained(), untrained()
    assert load_start_weights(model, "none").sentence == f"{TINY} starts from random weights"
    assert same(model, untouched)


@pytest.mark.slow
def test_an_x_lite_model_gives_all_that_fits(tmp_path):
    other = random_statistics(untrained(attention="mhsa", seed=1))
    save_student(tmp_path / "other.safetensors", other)

    twin = untrained(attention="mhsa")
    sentence = load_start_weights(twin, tmp_path / "other.safetensors").sentence
    assert sentence.startswith(f"{TINY} starts from the backbone, attention, classifier of the X-Lite model")
    assert sentence.endswith("other.safetensors")
    assert same(twin, other)

    wider = untrained(hidden=32)
    sentence = load_start_weights(wider, tmp_path / "other.safetensors").sentence
    assert sentence.startswith(f"{TINY} starts from the backbone of the X-Lite model")
    assert same(wider.backbone, other.backbone)
    assert same(wider.classifier, untrained(hidden=32).classifier)


def test_a_student_of_fewer_stages_takes_those_of_a_public_file(tmp_path):
    whole = random_statistics(untrained(seed=1).backbone)
    save_file(whole.state_dict(), tmp_path / "weights.safetensors")

    cut = untrained(stages=3)
    sentence = load_start_weights(cut, tmp_path / "weights.safetensors").sentence
    assert sentence.endswith(f"weights.safetensors ({len(whole.state_dict())} tensors)")
    assert {k: whole.state_dict()[k].tolist() for k in cut.backbone.state_dict()} == {
        k: tensor.tolist() for k, tensor in cut.backbone.state_dict().items()
    }

    broken = {k: tensor for k, tensor in whole.state_dict().items() if k != "layer4.0.conv1.weight"}
    save_file(broken, tmp_path / "broken.safetensors")
    with pytest.raises(CheckpointError, match="lacks layer4.0.conv1.weight"):
        load_start_weights(untrained(stages=3), tmp_path / "broken.safetensors")


@pytest.mark.slow
def test_a_student_of_fewer_stages_takes_those_of_an_x_lite_model(tmp_path):
    whole, four = random_statistics(untrained(seed=1)), random_statistics(untrained(seed=2, stages=4))
    save_student(tmp_path / "whole.safetensors", whole)
    save_student(tmp_path / "four.safetensors", four)
    for name, other in (("whole", whole), ("four", four)):
        cut = untrained(stages=3)
        sentence = load_start_weights(cut, tmp_path / f"{name}.safetensors").sentence
        assert sentence.startswith(f"{TINY} starts from the backbone of the X-Lite model")
        theirs = other.backbone.state_dict()
        assert all(torch.equal(tensor, theirs[k]) for k, tensor in cut.backbone.state_dict().items())
    for more, has in ((5, "has 5"), (0, "has all")):
        with pytest.raises(CheckpointError, match=f"but this student {has}: set --stages to 4"):
            load_start_weights(untrained(stages=more), tmp_path / "four.safetensors")


@pytest.mark.slow
def test_an_x_lite_model_of_another_backbone_is_refused(tmp_path):
    save_student(tmp_path / "other.safetensors", untrained("test_convnext"))
    with pytest.raises(CheckpointError, match=f"this student is a {TINY}: set --backbone to test_convnext"):
        load_start_weights(untrained(), tmp_path / "other.safetensors")


def test_the_documented_training_on_from_the_demo_takes_its_backbone_and_its_head():
    """Its command named no backbone, and was refused."""
    lines = (ROOT / "docs" / "ACTIVE.md").read_text(encoding="utf-8").replace("\\\n", "").splitlines()
    words = next(shlex.split(line)[2:] for line in lines if "--weights checkpoints/demo" in line)
    options = {name[2:]: value for name, value in zip(words[::2], words[1::2], strict=True)}
    assert options["weights"] == "checkpoints/demo/model.safetensors"
    config = make_config({name.replace("-", "_"): value for name, value in options.items()})
    student = Student(config.backbone, config.attention, config.hidden, config.dropout, config.stages)
    start = load_start_weights(student, ROOT / options["weights"])
    before = "tf_efficientnet_lite0 starts from the backbone, classifier of the X-Lite model "
    assert start.noted == f"{before}model.safetensors, run demo"


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """Points the hub's client at a server of this test: call it with the server's address."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))

    def use(port: int) -> None:
        here = f"http://127.0.0.1:{port}"
        template = constants.HUGGINGFACE_CO_URL_TEMPLATE.replace(constants.ENDPOINT, here)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "ENDPOINT", here)

    return use


@pytest.mark.slow
def test_films_are_normalised_as_the_weights_were_trained(tmp_path):
    half, imagenet = Preprocess(96, (0.5,) * 3, (0.5,) * 3), Preprocess(96)
    assert load_start_weights(untrained(), "none").preprocess(96) == imagenet
    save_file(untrained().backbone.state_dict(), tmp_path / "timm.safetensors")
    assert load_start_weights(untrained(), tmp_path / "timm.safetensors").preprocess(96) == half
    torch.save(torchvision.models.mobilenet_v2(weights=None).state_dict(), tmp_path / "torchvision.pt")
    model = untrained("mobilenetv2_100")
    model.backbone.pretrained_cfg["mean"] = (0.5,) * 3  # as if timm's own weights had another one
    assert load_start_weights(model, tmp_path / "torchvision.pt").preprocess(96) == imagenet
    other = untrained()
    save_model(
        tmp_path / "x.safetensors", other, tiny_info(other, Preprocess(64, (0.1, 0.2, 0.3), (0.4,) * 3))
    )
    started = load_start_weights(untrained(), tmp_path / "x.safetensors")
    assert started.preprocess(96) == Preprocess(96, (0.1, 0.2, 0.3), (0.4,) * 3)


def test_imagenet_that_cannot_be_reached_is_said_at_once(hub):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound, not listening: refuses
        hub(closed.getsockname()[1])
        model, untouched = untrained(), untrained()
        start = time.monotonic()
        started = load_start_weights(model, "imagenet")
    assert started.preprocess(96) == Preprocess(96)  # as for random weights
    sentence, reason = started.sentence, "Connection refused"
    assert TINY in sentence and f"({reason})" in sentence and "from scratch" in sentence
    assert time.monotonic() - start < 3
    assert same(model, untouched)


def test_imagenet_from_a_host_that_never_answers_is_said_soon(hub, monkeypatch):
    monkeypatch.setattr("xlite.models.weights.HUB_TIMEOUT_S", 0.3)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()  # accepts, and says nothing
        hub(silent.getsockname()[1])
        start = time.monotonic()
        sentence = load_start_weights(untrained(), "imagenet").sentence
    assert TINY in sentence and "(timed out)" in sentence and "from scratch" in sentence
    assert time.monotonic() - start < 3


def serve(files: dict[str, bytes]) -> http.server.ThreadingHTTPServer:
    """A hub on loopback that has these files, and answers 404 to all else."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = files.get(self.path)
            self.send_response(404 if body is None else 200)
            if body is not None:
                self.send_header("ETag", f'"{hashlib.sha256(body).hexdigest()}"')
                self.send_header("X-Repo-Commit", "0" * 40)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body or b"")

        do_HEAD = do_GET

        def log_message(self, *args) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


@pytest.mark.slow
def test_imagenet_weights_come_from_the_hub_and_then_from_its_cache(hub, tmp_path):
    source = random_statistics(timm.create_model(TINY, num_classes=1000))
    save_file(source.state_dict(), tmp_path / "model.safetensors")
    source.reset_classifier(0, "")
    body = (tmp_path / "model.safetensors").read_bytes()
    server = serve({"/timm/test_resnet.r160_in1k/resolve/main/model.safetensors": body})
    hub(server.server_port)
    first, second = untrained(), untrained()

    started = load_start_weights(first, "imagenet")
    server.shutdown()
    server.server_close()

    sentence = started.sentence
    assert sentence == f"{TINY} starts from ImageNet weights (timm/test_resnet.r160_in1k)"
    assert started.preprocess(96) == Preprocess(96, (0.5,) * 3, (0.5,) * 3)
    assert same(first.backbone, source)
    assert load_start_weights(second, "imagenet").sentence == sentence  # no server now
    assert same(second.backbone, source)


@pytest.mark.slow
def test_a_hub_without_the_file_is_said(hub):
    server = serve({})
    hub(server.server_port)
    sentence = load_start_weights(untrained(), "imagenet").sentence
    server.shutdown()
    server.server_close()
    assert sentence.startswith(f"ImageNet weights for {TINY} could not be had (")
    assert "404" in sentence and sentence.endswith("): training from scratch")


def test_a_backbone_without_published_weights_is_said():
    sentence = load_start_weights(untrained("convnext_atto_rms"), "imagenet").sentence
    assert sentence == "timm has no ImageNet weights for convnext_atto_rms: training from scratch"
