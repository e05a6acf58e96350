"""The public CheXNet checkpoints, as their authors' code writes them: every tensor taken, or none."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_runs import on_log
from torch import Tensor, nn
from torchvision.models import densenet121

from xlite.cli import run
from xlite.config import TrainConfig
from xlite.errors import CheckpointError
from xlite.images import Preprocess
from xlite.models.chexnet import SEEN, convert_chexnet, load_chexnet
from xlite.training.job import open_job
from xlite.training.teachers import TeacherFilms, open_teacher

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def author() -> nn.Module:
    """The network as all three authors build it, with statistics that matter."""
    torch.manual_seed(0)
    network = densenet121(num_classes=14)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    return network.eval()


def with_sigmoid(author: nn.Module) -> nn.Module:
    """The author's network with the last layer that all three give it."""
    network = densenet121(num_classes=14)
    network.load_state_dict(author.state_dict())
    network.classifier = nn.Sequential(network.classifier, nn.Sigmoid())
    return network.eval()


def dotted(name: str) -> str:
    """A name as torchvision gave it before April 2018: `norm.1` for `norm1`."""
    return re.sub(r"(denselayer\d+\.(?:norm|conv))(\d)\.", r"\1.\2.", name)


def arnoweng(author: nn.Module, path: Path) -> None:
    """`model.pth.tar`: torch 0.3, DataParallel, a wrapper with the network inside; no counters of batches."""
    weights = {
        f"module.densenet121.{dotted(name)}": tensor
        for name, tensor in with_sigmoid(author).state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    content = {"epoch": 9, "arch": "densenet121", "state_dict": weights}
    torch.save(content, path, _use_new_zipfile_serialization=False)


def zoogzog(author: nn.Module, path: Path) -> None:
    """`m-*.pth.tar`: the same, with the optimizer."""
    weights = {
        f"module.densenet121.{name}": tensor for name, tensor in with_sigmoid(author).state_dict().items()
    }
    optimizer = torch.optim.Adam([nn.Parameter(torch.ones(2))])
    content = {"epoch": 3, "state_dict": weights, "best_loss": 0.1, "optimizer": optimizer.state_dict()}
    torch.save(content, path)


def bare(author: nn.Module, path: Path) -> None:
    """A state dict without wrapper or sigmoid."""
    torch.save(author.state_dict(), path)


def jrzech(author: nn.Module, path: Path) -> None:
    """`checkpoint`: the whole network pickled."""
    state = {"model": with_sigmoid(author), "best_loss": 0.15, "epoch": 4, "LR": 0.01}
    torch.save({**state, "rng_state": torch.get_rng_state()}, path)


@pytest.mark.parametrize("write", [arnoweng, zoogzog, pytest.param(bare, marks=pytest.mark.slow)])
def test_a_public_checkpoint_gives_its_authors_logits_whatever_the_files_name(author, tmp_path, write):
    path = tmp_path / "any name"
    write(author, path)
    network = load_chexnet(path)
    x = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(network(x), author(x))
        expected = torch.logit(with_sigmoid(author)(x))
    torch.testing.assert_close(network(x), expected, rtol=1e-3, atol=1e-4)
    assert not network.training


def test_a_public_checkpoint_reads_films_as_its_authors_do(author, tmp_path):
    arnoweng(author, tmp_path / "model.pth.tar")
    students = Preprocess(224, mean=(0.5, 0.5, 0.5), std=(0.2, 0.2, 0.2))
    spec = str(tmp_path / "model.pth.tar")
    teacher, file_logits = open_teacher(spec, students, ["a"], np.zeros((1, 14)), np.array(["1"]))
    film = np.random.default_rng(0).integers(0, 256, (224, 224), dtype=np.uint8)
    grey = torch.from_numpy(film)[None, None].expand(1, 3, 224, 224) / 255
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
    with torch.no_grad():
        expected = author((grey - mean) / std)
    answer = teacher(torch.from_numpy(students(film))[None], torch.full((1, 14), torch.nan))
    torch.testing.assert_close(answer.logits, expected, rtol=1e-3, atol=1e-4)
    assert answer.features.shape == (1, 1024, 7, 7) and teacher.feature_channels == 1024
    assert file_logits is None and teacher.seen == (TeacherFilms(SEEN, "chexnet_train_list.txt"),)
    assert teacher.sentence.startswith(
        f"Teacher: {spec} (public CheXNet weights, densenet121 at 224 px; for --teacher-list"
    )
    weights = torch.load(spec, weights_only=True)["state_dict"]
    weights["module.densenet121.classifier.0.bias"] += 1e-6
    torch.save({"state_dict": weights}, spec)
    assert open_teacher(spec, students, ["a"], np.zeros((1, 14)), np.array(["1"]))[0].digest != teacher.digest


LAYER = "features.denseblock3.denselayer7.conv1.weight"
Change = Callable[[dict[str, Tensor]], object]
DAMAGES: dict[str, tuple[Change, str]] = {
    "missing": (lambda w: w.pop(LAYER), f"it lacks {LAYER}"),
    "left over": (lambda w: w.update({"features.extra.weight": w[LAYER]}), "unknown features.extra.weight"),
    "another shape": (
        lambda w: w.update({"classifier.weight": torch.zeros(18, 1024)}),
        r"classifier.weight \(18, 1024\), expected \(14, 1024\)",
    ),
    "not finite": (
        lambda w: w.update({LAYER: w[LAYER] * torch.inf}),
        f"not finite in {LAYER}",
    ),
    "whole numbers": (lambda w: w.update({LAYER: w[LAYER].to(torch.int8)}), f"it has {LAYER} of type int8"),
    "negative variance": (
        lambda w: w.update({"features.norm0.running_var": -torch.ones(64)}),
        "variances below 0, .* in features.norm0.running_var",
    ),
    "twice": (lambda w: w.update({f"densenet121.{LAYER}": w[LAYER]}), "1 tensors twice"),
    "twice by module": (lambda w: w.update({f"module.{LAYER}": w[LAYER]}), "tensors twice, with and without"),
    "another network": (
        lambda w: [w.pop(name) for name in list(w) if "denseblock" in name],
        "holds no public CheXNet weights",
    ),
}


@pytest.mark.parametrize(
    "damage", [name if name == "missing" else pytest.param(name, marks=pytest.mark.slow) for name in DAMAGES]
)
def test_a_damaged_checkpoint_is_refused_with_the_names(author, tmp_path, damage):
    change, expected = DAMAGES[damage]
    weights = dict(author.state_dict())
    change(weights)
    torch.save({"state_dict": weights}, tmp_path / "model.pth.tar")
    with pytest.raises(CheckpointError, match=expected) as caught:
        load_chexnet(tmp_path / "model.pth.tar")
    assert str(tmp_path / "model.pth.tar") in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut short", b"\x80\x02junk", b"no weights at all"])
def test_what_is_no_checkpoint_is_refused_in_a_sentence(tmp_path, content):
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(CheckpointError, match="file is not a (plain file of weights|model file)"):
        open_teacher(str(tmp_path / "file"), Preprocess(64), ["a"], np.zeros((1, 14)), np.array(["1"]))


def test_a_file_that_is_no_checkpoint_is_not_converted_and_what_was_expected_is_said(tmp_path, capsys):
    film, out = tmp_path / "film.png", tmp_path / "plain.safetensors"
    film.write_bytes(b"\x89PNG\r\n\x1a\n" + b"\x7f" * 99)
    assert run(["convert", str(film), "--out", str(out)]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"Error: {film} ") and error.count("\n") == 1
    assert "model.pth.tar" in error and ".safetensors" in error
    assert not out.exists()


class Evil:
    """Leaves the id of the process that unpickles it."""

    def __init__(self, trace: Path):
        self.trace = trace

    def __reduce__(self) -> tuple:
        return (exec, (f"import os; open({str(self.trace)!r}, 'w').write(str(os.getpid()))",))


def test_code_in_a_checkpoint_is_not_run_unless_asked_for(author, tmp_path, capsys):
    path, trace, out = tmp_path / "checkpoint", tmp_path / "trace", tmp_path / "plain.safetensors"
    torch.save({"state_dict": author.state_dict(), "extra": Evil(trace)}, path)
    with pytest.raises(
        CheckpointError, match=f"xlite convert {path} --out FILE.safetensors --trust"
    ) as caught:
        open_teacher(str(path), Preprocess(64), ["a"], np.zeros((1, 14)), np.array(["1"]))
    assert "(it calls for exec)" in str(caught.value)
    assert run(["convert", str(path), "--out", str(out)]) == 2
    assert "without running code" in capsys.readouterr().err
    assert not trace.exists() and not out.exists()


def test_code_that_was_asked_for_runs_in_a_process_of_its_own(author, tmp_path, capsys):
    path, trace, out = tmp_path / "checkpoint", tmp_path / "trace", tmp_path / "plain.safetensors"
    torch.save({"state_dict": author.state_dict(), "extra": Evil(trace)}, path)
    assert run(["convert", str(path), "--out", str(out), "--trust"]) == 0
    assert capsys.readouterr().out == f"{out} holds the weights of {path}, for --teacher {out}\n"
    assert int(trace.read_text()) != os.getpid()
    x = torch.randn(1, 3, 64, 64)
    torch.testing.assert_close(load_chexnet(out)(x), author(x))


def test_a_whole_pickled_network_is_converted_and_teaches(author, tmp_path):
    jrzech(author, tmp_path / "checkpoint")
    with pytest.raises(CheckpointError, match=r"it calls for torchvision\.models\.densenet\.DenseNet"):
        load_chexnet(tmp_path / "checkpoint")
    out = tmp_path / "plain.safetensors"
    convert_chexnet(tmp_path / "checkpoint", out, trust=True)
    teacher, _ = open_teacher(str(out), Preprocess(64), ["a"], np.zeros((1, 14)), np.array(["1"]))
    x = torch.randn(1, 3, 224, 224)
    with torch.no_grad():
        expected = author(x)
    torch.testing.assert_close(
        teacher(x, torch.full((1, 14), torch.nan)).logits, expected, rtol=1e-3, atol=1e-4
    )


@pytest.mark.release
def test_what_a_pickle_lacks_or_does_wrong_is_said_and_nothing_is_written(author, tmp_path):
    out = tmp_path / "plain.safetensors"
    network = with_sigmoid(author)
    del network.features.denseblock1.denselayer1
    torch.save({"model": network}, tmp_path / "lacks")
    with pytest.raises(CheckpointError, match="it lacks .*denseblock1.denselayer1"):
        convert_chexnet(tmp_path / "lacks", out, trust=True)
    torch.save({"model": nn.Linear(2, 2).state_dict, "names": Evil(tmp_path / "trace")}, tmp_path / "wrong")
    with pytest.raises(CheckpointError, match="neither a model nor a state dict"):
        convert_chexnet(tmp_path / "wrong", out, trust=True)
    assert not out.exists()


def test_a_conversion_needs_no_trust_if_no_code_has_to_run(author, tmp_path):
    arnoweng(author, tmp_path / "model.pth.tar")
    out = tmp_path / "plain.safetensors"
    convert_chexnet(tmp_path / "model.pth.tar", out, trust=False)
    x = torch.randn(1, 3, 64, 64)
    torch.testing.assert_close(load_chexnet(out.rename(tmp_path / "any name"))(x), author(x))
    with pytest.raises(CheckpointError, match=r"plain\.pt must end in \.safetensors"):
        convert_chexnet(tmp_path / "model.pth.tar", tmp_path / "plain.pt", trust=False)
    with pytest.raises(CheckpointError, match="there is no checkpoint"):
        convert_chexnet(tmp_path / "nothing", out, trust=False)


def test_reports_say_which_test_films_the_public_weights_have_seen(author, tmp_path, tiny_folder):
    bare(author, tmp_path / "weights")
    values = {"data": tiny_folder, "backbone": "test_resnet.r160_in1k", "weights": "none", "image_size": 64}
    said: list[str] = []

    def contamination(**changes: object) -> str:
        config = TrainConfig.model_validate({**values, "teacher": str(tmp_path / "weights"), **changes})
        said.clear()
        with on_log(said.append):
            open_job(config, kept=None, progress=lambda done, total: None)
        return next(line for line in said if "contamination" in line).removeprefix("Teacher contamination: ")

    assert contamination(split="official") == f"a teacher has {SEEN}"
    # as arnoweng's list has it: the name and 14 labels
    test = (tiny_folder / "test_list.txt").read_text().split()
    lines = [f"{name} {' '.join('0' * 14)}" for name in test[:2]]
    (tiny_folder / "chexnet_train_list.txt").write_text("\n".join(lines) + "\n")
    counted = contamination(split="official")
    assert re.fullmatch(
        rf"a teacher was trained on 2 of the {len(test)} test films of split official-\S+, "
        "and knows the patients of 2 of them",
        counted,
    )
    (tmp_path / "list.txt").write_text(lines[0] + "\n")
    alone = contamination(split="official", teacher_list=str(tmp_path / "list.txt"))
    assert alone == counted.replace("trained on 2", "trained on 1")
    (tiny_folder / "chexnet_val_list.txt").write_text(test[2] + "\n")
    with_val = contamination(split="official")
    assert with_val == counted.replace(",", " (3 counting validation),").replace(
        "patients of 2", "patients of 4"
    )
