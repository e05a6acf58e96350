import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pytorch_grad_cam import GradCAM, LayerCAM
from pytorch_grad_cam.utils.image import scale_cam_image
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from tiny_models import TINY, ForOracle, student

from xlite.data.tables import read_boxes
from xlite.explain import (
    MEDIAN_BOX,
    METHODS,
    STRIP,
    activation_maps,
    draw_cell,
    map_fault,
    overlay,
    shrink,
    upsample_map,
)
from xlite.models.student import Student

ATTENTIONS = ("none", "mhsa", "performer")
FULL = ("resnet18", "efficientnet_b0", "mobilenetv3_small_100", "densenet121", "convnext_tiny")


LIBRARY = {"layercam": LayerCAM, "gradcam": GradCAM}


def check_against_the_library(model: Student, method: str, side: int = 96) -> None:
    torch.manual_seed(1)
    x = torch.randn(2, 3, side, side)
    logits, maps = activation_maps(model, x, method)
    with torch.no_grad():
        torch.testing.assert_close(logits, model(x), rtol=1e-4, atol=1e-5)
    oracle = ForOracle(model)
    with LIBRARY[method](model=oracle, target_layers=[oracle.last_map]) as cam:
        for finding in range(14):
            expected = cam(x, targets=[ClassifierOutputTarget(finding)] * 2)  # scaled, resized, scaled
            mine = scale_cam_image(scale_cam_image(maps[:, finding].numpy(), (side, side)))
            np.testing.assert_allclose(mine, expected, atol=1e-4)
    assert (maps.amax((2, 3)) > 0).float().mean() > 0.2  # not a comparison of empty maps


@pytest.mark.parametrize("attention", ATTENTIONS)
@pytest.mark.parametrize("backbone", [TINY, "mobilenetv3_small_050", "test_convnext"])
@pytest.mark.parametrize("method", METHODS)
def test_maps_are_those_of_pytorch_grad_cam(method, backbone, attention):
    check_against_the_library(student(backbone, attention), method)


@pytest.mark.slow
@pytest.mark.parametrize("attention", ATTENTIONS)
@pytest.mark.parametrize("backbone", FULL)
@pytest.mark.parametrize("method", METHODS)
def test_maps_of_each_backbone_are_those_of_pytorch_grad_cam(method, backbone, attention):
    check_against_the_library(student(backbone, attention), method)


@pytest.mark.parametrize("attention", ATTENTIONS)
def test_maps_are_the_gradient_by_its_definition(attention):
    """Grad-CAM's equations 1 and 2 and LayerCAM's 3 to 5, cell by cell and unscaled: the size of a map
    matters where films are compared.
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


def test_grad_cam_is_all_zero_where_layer_cam_is_not():
    """What a film's places say for a finding is drawn, also where what they say against it outweighs it."""
    model = student()
    with torch.no_grad():
        model.classifier[-1].bias.zero_()
        model.classifier[-1].weight[3] -= 1  # a finding that the model is sure is not there
    x = torch.randn(4, 3, 64, 64)
    logits, maps = activation_maps(model, x, "gradcam")
    assert (logits[:, 3] < -1).all() and not maps[:, 3].any()
    assert (activation_maps(model, x, "layercam")[1][:, 3].amax((1, 2)) > 0).all()


def test_an_unknown_method_is_refused():
    with pytest.raises(
        ValueError, match="'cam' is no map with a closed form; expected one of layercam, gradcam"
    ):
        activation_maps(student(), torch.zeros(1, 3, 64, 64), "cam")


def test_a_films_maps_do_not_depend_on_its_batch():
    model = student()
    x = torch.randn(3, 3, 64, 64)
    logits, maps = activation_maps(model, x)
    for i in range(3):
        alone = activation_maps(model, x[i : i + 1])
        torch.testing.assert_close(alone[0][0], logits[i], rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(alone[1][0], maps[i], rtol=1e-4, atol=1e-6)


def test_eight_threads_on_one_model_give_what_one_thread_gives():
    model = student("mobilenetv3_small_050", "mhsa")
    films = [torch.randn(1, 3, 96, 96) for _ in range(24)]
    alone = [activation_maps(model, x) for x in films]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda x: activation_maps(model, x), films))
    for (logits, maps), (expected_logits, expected_maps) in zip(together, alone, strict=True):
        torch.testing.assert_close(logits, expected_logits, rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(maps, expected_maps, rtol=1e-5, atol=1e-7)


def test_maps_change_nothing_in_the_model():
    model = student()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    activation_maps(model, torch.randn(2, 3, 64, 64))
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert all(p.grad is None and p.requires_grad for p in model.parameters())
    assert not any(m._forward_hooks or m._backward_hooks for m in model.modules())


def test_maps_need_one_pass_through_the_backbone():
    model, calls = student(), []
    model.backbone.conv1.register_forward_hook(lambda *_: calls.append(1))
    activation_maps(model, torch.randn(2, 3, 64, 64))
    assert calls == [1]


def test_maps_work_under_inference_mode_and_with_frozen_weights():
    model = student().requires_grad_(False)
    x = torch.randn(1, 3, 64, 64)
    expected = activation_maps(model, x)
    with torch.inference_mode():
        logits, maps = activation_maps(model, torch.ones(1, 3, 64, 64) * x)
    assert torch.equal(logits, expected[0]) and torch.equal(maps, expected[1])
    assert not maps.requires_grad and not logits.requires_grad


def test_a_model_in_training_is_refused():
    with pytest.raises(ValueError, match="need the model in eval mode"):
        activation_maps(student().train(), torch.zeros(1, 3, 64, 64))


@settings(max_examples=50, deadline=None)
@given(
    coarse=hnp.arrays(np.float32, (7, 7), elements=st.floats(0, 1e6, width=32)),
    shape=st.tuples(st.integers(1, 300), st.integers(1, 300)),
)
def test_a_map_in_the_frame_of_the_film_is_between_0_and_1(coarse, shape):
    fine = upsample_map(coarse, shape)
    assert (fine.shape, fine.dtype) == (shape, np.float32)
    assert fine.min() >= 0
    assert fine.max() == (1 if fine.any() else 0)


def test_the_peak_of_a_map_lies_where_its_cell_lies():
    coarse = np.zeros((7, 7), np.float32)
    coarse[1, 5] = 3  # the cell of rows 100-199, columns 250-299 of a film of 700 x 350
    fine = upsample_map(coarse, (700, 350))
    rows, columns = np.nonzero(fine > 0.9)
    assert (rows.mean(), columns.mean()) == (149.5, 274.5)
    assert rows.min() >= 100 and rows.max() < 200 and columns.min() >= 250 and columns.max() < 300


def test_an_empty_map_stays_empty():
    assert not upsample_map(np.zeros((7, 7), np.float32), (20, 30)).any()


@pytest.mark.parametrize(
    ("cells", "fault"),
    [
        ({}, "empty"),
        ({(3, 3): 1}, None),
        ({(1, 5): 1, (0, 0): 0.9}, None),
        ({(0, 3): 1, (3, 3): 0.9}, "outside"),
        ({(3, 6): 1}, "outside"),
    ],
)
def test_a_map_that_shows_no_place_is_called_what_it_is(cells, fault):
    coarse = np.zeros((7, 7), np.float32)
    for cell, height in cells.items():
        coarse[cell] = height
    assert map_fault(coarse) == fault


def test_a_map_of_almost_one_value_is_flat():
    coarse = np.full((7, 7), 2.0)
    coarse[3, 3] = 2.1
    assert map_fault(coarse) == "flat"
    coarse[3, 3] = 3
    assert map_fault(coarse) is None


def test_median_boxes_and_the_rim_are_those_of_the_tables(shared_data):
    boxes = read_boxes(shared_data / "nih_tables" / "BBox_List_2017.csv")
    medians = (boxes.w * boxes.h / 1024**2).groupby(boxes.finding).median()
    assert pytest.approx(medians.to_dict(), abs=5e-5) == MEDIAN_BOX
    middles = np.stack([boxes.x + boxes.w / 2, boxes.y + boxes.h / 2]) / 1024
    assert (np.minimum(middles, 1 - middles).min(0) < 0.08).sum() == 3


def test_a_cell_is_outlined_in_the_lower_left_corner():
    picture = np.full((700, 1400, 3), 90, np.uint8)
    draw_cell(picture, (100, 200))
    rows, columns = np.nonzero((picture == 255).all(2))
    assert 100 <= np.ptp(rows) <= 103 and 200 <= np.ptp(columns) <= 203  # the line has a width
    assert rows.min() > 550 and columns.max() < 250
    assert (picture[300:500] == 90).all() and (picture[:, 300:] == 90).all()


def test_an_overlay_leaves_the_film_bare_where_nothing_was_seen():
    film = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert (overlay(film, np.zeros((16, 16), np.float32)) == film[..., None]).all()


def test_an_overlay_is_red_at_the_peak_and_still_shows_the_film():
    dark, bright = np.full((8, 8), 40, np.uint8), np.full((8, 8), 200, np.uint8)
    peak = np.ones((8, 8), np.float32)
    red, green, blue = overlay(dark, peak)[0, 0].astype(int)
    assert red > green and red > blue  # RGB, not BGR
    difference = overlay(bright, peak).astype(int) - overlay(dark, peak)
    assert (abs(difference - (1 - 0.45) * 160) <= 1).all()  # the film's own contrast, less the opacity
    assert (overlay(dark, peak, opacity=0) == 40).all()


def test_an_overlay_refuses_another_frame():
    with pytest.raises(ValueError, match=r"film \(8, 8\) and map \(7, 7\) must have the same shape"):
        overlay(np.zeros((8, 8), np.uint8), np.zeros((7, 7), np.float32))


def test_an_overlay_of_a_film_of_many_strips_is_that_of_its_parts():
    rng = np.random.default_rng(0)
    film = rng.integers(0, 256, (2 * STRIP + 7, 9), dtype=np.uint8)
    heat = rng.random(film.shape, dtype=np.float32)
    rows = [overlay(film[row : row + 1], heat[row : row + 1]) for row in range(len(film))]
    np.testing.assert_array_equal(overlay(film, heat), np.concatenate(rows))


def test_an_overlay_takes_little_more_memory_than_its_pixels():
    film, heat = np.full((3000, 2000), 90, np.uint8), np.ones((3000, 2000), np.float32)
    tracemalloc.start()
    picture = overlay(film, heat)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert picture.nbytes <= peak < 1.5 * picture.nbytes


def test_a_film_is_shrunk_to_a_side_and_never_enlarged():
    film = np.full((3000, 2000), 90, np.uint8)
    film[:, 1000:] = 200
    small = shrink(film)
    assert (small.shape, small.dtype) == ((1024, 683), np.uint8)
    assert (small[:, :340] == 90).all() and (small[:, 342:] == 200).all()
    assert shrink(film, 300).shape == (300, 200)
    assert shrink(np.zeros((32, 60_000), np.uint8)).shape == (1, 1024)
    assert shrink(small) is small
