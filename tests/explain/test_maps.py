"""Maps beside pytorch-grad-cam's, and by their definitions; shared models stay untouched."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from pytorch_grad_cam import EigenCAM, GradCAM, GradCAMPlusPlus, HiResCAM, LayerCAM
from pytorch_grad_cam.utils.image import scale_cam_image
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from tiny_models import TINY, ForOracle, student

from xlite.explain import CLOSED_FORM, METHODS, Mapper, Method, activation_maps
from xlite.models.student import Student

ATTENTIONS = ("none", "mhsa", "performer")
FULL = ("resnet18", "efficientnet_b0", "mobilenetv3_small_100", "densenet121", "convnext_tiny")
LIBRARY = {
    "layercam": LayerCAM,
    "gradcam": GradCAM,
    "gradcam++": GradCAMPlusPlus,
    "hirescam": HiResCAM,
    "eigencam": EigenCAM,
}


def check_against_the_library(model: Student, method: str, side: int = 96) -> None:
    torch.manual_seed(1)
    x = torch.randn(2, 3, side, side)
    logits, maps = activation_maps(model, x, method)
    with torch.no_grad():
        torch.testing.assert_close(logits, model(x), rtol=1e-4, atol=1e-5)
    oracle = ForOracle(model)
    with LIBRARY[method](model=oracle, target_layers=[oracle.last_features]) as cam:
        for finding in range(14):
            expected = cam(x, targets=[ClassifierOutputTarget(finding)] * 2)  # scaled, resized, scaled
            mine = scale_cam_image(scale_cam_image(maps[:, finding].numpy(), (side, side)))
            np.testing.assert_allclose(mine, expected, atol=1e-4)
    assert (maps.amax((2, 3)) > 0).float().mean() > 0.2  # not a comparison of empty maps


@pytest.mark.slow
@pytest.mark.parametrize("method", CLOSED_FORM)
@pytest.mark.parametrize("backbone", [TINY, "mobilenetv3_small_050"])
def test_maps_of_a_head_of_one_linear_layer_are_those_of_pytorch_grad_cam(method, backbone):
    check_against_the_library(student(backbone, hidden=0), method)


@pytest.mark.slow
@pytest.mark.parametrize("attention", ATTENTIONS)
@pytest.mark.parametrize("backbone", [TINY, "mobilenetv3_small_050", "test_convnext"])
@pytest.mark.parametrize("method", CLOSED_FORM)
def test_maps_are_those_of_pytorch_grad_cam(method, backbone, attention):
    check_against_the_library(student(backbone, attention), method)


@pytest.mark.slow
@pytest.mark.parametrize(
    "attention",
    [ATTENTIONS[0], *(pytest.param(attention, marks=pytest.mark.release) for attention in ATTENTIONS[1:])],
)
@pytest.mark.parametrize("backbone", FULL)
@pytest.mark.parametrize("method", CLOSED_FORM)
def test_maps_of_each_backbone_are_those_of_pytorch_grad_cam(method, backbone, attention):
    check_against_the_library(student(backbone, attention), method)


@pytest.mark.parametrize("attention", ATTENTIONS)
def test_maps_are_the_gradient_by_its_definition(attention):
    """Grad-CAM's equations 1 and 2 and LayerCAM's 3 to 5, cell by cell and unscaled: the size of a map
    matters when films are compared.
    """
    model = student("mobilenetv3_small_050", attention)
    x = torch.randn(1, 3, 96, 160)
    maps, layer_maps = (activation_maps(model, x, method)[1] for method in ("gradcam", "layercam"))
    f = model.features(x).detach().requires_grad_()
    for finding in range(14):
        (gradient,) = torch.autograd.grad(model.head(f)[0, finding], f)
        expected = (gradient.mean((2, 3), keepdim=True) * f).sum(1).relu()
        torch.testing.assert_close(maps[:, finding], expected, rtol=1e-4, atol=1e-7)
        expected = (gradient.relu() * f).sum(1).relu()
        torch.testing.assert_close(layer_maps[:, finding], expected, rtol=1e-4, atol=1e-7)


def test_grad_cam_can_be_all_zero_though_layer_cam_is_not():
    """LayerCAM shows what speaks for a finding in a film even if more speaks against it."""
    model = student()
    with torch.no_grad():
        model.classifier[-1].bias.zero_()
        model.classifier[-1].weight[3] -= 1  # a finding that the model is sure is not there
    x = torch.randn(4, 3, 64, 64)
    logits, maps = activation_maps(model, x, "gradcam")
    assert (logits[:, 3] < -1).all() and not maps[:, 3].any()
    assert (activation_maps(model, x, "layercam")[1][:, 3].amax((1, 2)) > 0).all()


def test_an_unknown_method_is_refused():
    with pytest.raises(ValueError, match="'cam' is not a kind of map; expected one of layercam, gradcam, "):
        activation_maps(student(), torch.zeros(1, 3, 64, 64), "cam")


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_a_films_maps_do_not_depend_on_its_batch(method):
    model = student()
    x = torch.randn(3, 3, 64, 64)
    logits, maps = activation_maps(model, x, method)
    atol = 1e-6 if method in CLOSED_FORM else 1e-4  # the library scales its maps to 0-1
    for i in range(3):
        alone = activation_maps(model, x[i : i + 1], method)
        torch.testing.assert_close(alone[0][0], logits[i], rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(alone[1][0], maps[i], rtol=1e-4, atol=atol)


@pytest.mark.slow
@pytest.mark.parametrize(("method", "count"), [("layercam", 24), ("gradcam++", 8)])
def test_eight_threads_on_one_model_give_what_one_thread_gives(method, count):
    model = student("mobilenetv3_small_050", "mhsa")
    films = [torch.randn(1, 3, 96, 96) for _ in range(count)]
    alone = [activation_maps(model, x, method) for x in films]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda x: activation_maps(model, x, method), films))
    for (logits, maps), (expected_logits, expected_maps) in zip(together, alone, strict=True):
        torch.testing.assert_close(logits, expected_logits, rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(maps, expected_maps, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("method", METHODS)
def test_maps_change_nothing_in_the_model(method):
    model = student()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    activation_maps(model, torch.randn(2, 3, 64, 64), method)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert all(p.grad is None and p.requires_grad for p in model.parameters())
    assert not any(m._forward_hooks or m._backward_hooks for m in model.modules())


def test_maps_need_one_pass_through_the_backbone():
    model, calls = student(), []
    model.backbone.conv1.register_forward_hook(lambda *_: calls.append(1))
    activation_maps(model, torch.randn(2, 3, 64, 64))
    assert calls == [1]


@pytest.mark.parametrize("method", METHODS)
def test_maps_work_under_inference_mode_and_with_frozen_weights(method):
    model = student().requires_grad_(False)
    x = torch.randn(1, 3, 64, 64)
    expected = activation_maps(model, x, method)
    with torch.inference_mode():
        logits, maps = activation_maps(model, torch.ones(1, 3, 64, 64) * x, method)
    assert torch.equal(logits, expected[0]) and torch.equal(maps, expected[1])
    assert not maps.requires_grad and not logits.requires_grad


def test_a_model_in_training_is_refused():
    with pytest.raises(ValueError, match="need the model in eval mode"):
        activation_maps(student().train(), torch.zeros(1, 3, 64, 64))


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_each_method_is_that_of_the_library_on_the_whole_model(method):
    model = student("mobilenetv3_small_050")
    torch.manual_seed(1)
    x = torch.randn(1, 3, 128, 128)
    oracle, mapper = ForOracle(model), Mapper(model)
    f = mapper.features(x)
    with LIBRARY[method](oracle, [oracle.last_features]) as cam:
        for finding in (0, 7):
            expected = cam(x, [ClassifierOutputTarget(finding)])
            mine = mapper.maps(f, finding, [method])[method]
            assert (mine.shape, mine.dtype, mine.min() >= 0) == ((4, 4), np.float32, True)
            resized = scale_cam_image(scale_cam_image(mine[None], (128, 128)))
            np.testing.assert_allclose(resized, expected, atol=1e-3)


def test_maps_of_the_library_leave_the_shared_model_alone():
    model = student()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    mapper = Mapper(model)
    maps = mapper.maps(mapper.features(torch.randn(1, 3, 96, 96)), 4)
    assert list(maps) == list(METHODS)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert all(parameter.requires_grad and parameter.grad is None for parameter in model.parameters())
    assert not any(module._forward_hooks for module in [*model.modules(), *mapper._head.modules()])


def test_a_method_without_a_closed_form_is_refused_instead_of_drawn_as_grad_cam(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(METHODS, "sumcam", Method("SumCAM", "A new kind."))
    with pytest.raises(ValueError, match="'sumcam' has no closed form: add it to closed_form"):
        activation_maps(student(), torch.zeros(1, 3, 64, 64), "sumcam")
