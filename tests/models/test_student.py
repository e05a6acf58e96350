import copy

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from xlite.errors import RunError
from xlite.models.attention import MHSA, FavorAttention, Performer, orthogonal_directions, positions
from xlite.models.info import ModelSize
from xlite.models.student import Student, describe

TINY = "test_resnet.r160_in1k"
WIDTHS = {  # channels of the features, width that the head reads, cells of a side at 224 px
    "efficientnet_b0": (1280, 1280, 7),
    "mobilenetv3_small_100": (576, 1024, 7),
    "resnet18": (512, 512, 7),
    "mobilenetv3_large_100": (960, 1280, 7),
    "convnext_tiny": (768, 768, 7),
    "densenet121": (1024, 1024, 7),
    "mobilenetv2_100": (1280, 1280, 7),
    "vit_tiny_patch16_224": (192, 192, 14),
    "swin_tiny_patch4_window7_224": (768, 768, 7),
}


def student(backbone: str = TINY, attention: str = "none", **kwargs) -> Student:
    torch.manual_seed(0)
    return Student(backbone, attention, **kwargs).eval()


LARGE = {"mobilenetv3_large_100", "convnext_tiny", "densenet121", "swin_tiny_patch4_window7_224"}


@pytest.mark.parametrize(
    "backbone", [pytest.param(name, marks=[pytest.mark.slow] if name in LARGE else []) for name in WIDTHS]
)
def test_widths_are_read_from_the_backbone(backbone):
    channels, width, side = WIDTHS[backbone]
    model = student(backbone)
    with torch.no_grad():
        f = model.features(torch.zeros(1, 3, 224, 224))
        assert (f.shape, model.num_features) == ((1, channels, side, side), width)
        assert model.classifier[0].in_features == width
        assert model.head(f).shape == (1, 14)


@pytest.mark.slow
@pytest.mark.parametrize("backbone", ["tf_efficientnet_lite0", "mobilenetv3_small_050", "convnext_atto"])
def test_the_stages_that_are_kept_say_what_they_say_in_the_whole(backbone):
    whole, cut = student(backbone), student(backbone, stages=3)
    cut.backbone.load_state_dict(
        {name: whole.backbone.state_dict()[name] for name in cut.backbone.state_dict()}
    )
    x = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        [expected] = whole.backbone.forward_intermediates(x, indices=[2], intermediates_only=True)
        torch.testing.assert_close(cut.features(x), expected)
        assert cut(x).shape == (2, 14)
    assert describe(cut, 64).parameters < describe(whole, 64).parameters / 2


@pytest.mark.slow
def test_stages_that_a_backbone_has_not_are_refused():
    with pytest.raises(RunError, match="resnet18 has 5 stages, not 6"):
        student("resnet18", stages=6)


def test_the_head_is_pooling_then_two_layers():
    model = student("mobilenetv3_small_100", hidden=32, dropout=0.25)
    assert [type(layer) for layer in model.classifier] == [nn.Linear, nn.ReLU, nn.Dropout, nn.Linear]
    assert (model.classifier[0].out_features, model.classifier[2].p) == (32, 0.25)
    x = torch.randn(2, 3, 96, 96)
    with torch.no_grad():
        f = model.features(x)
        expected = model.classifier(
            F.hardswish(model.backbone.conv_head(f.mean((2, 3), keepdim=True))).flatten(1)
        )
        torch.testing.assert_close(model(x), expected)
        torch.testing.assert_close(model.head(f), expected)


def test_a_head_without_hidden_units_is_dropout_and_one_linear_layer():
    model = student("mobilenetv3_small_100", hidden=0, dropout=0.25)
    assert [type(layer) for layer in model.classifier] == [nn.Dropout, nn.Linear]
    assert (model.classifier[0].p, model.classifier[1].in_features) == (0.25, 1024)
    x = torch.randn(2, 3, 96, 96)
    with torch.no_grad():
        f = model.features(x)
        read = F.hardswish(model.backbone.conv_head(f.mean((2, 3), keepdim=True))).flatten(1)
        torch.testing.assert_close(model(x), read @ model.classifier[1].weight.T + model.classifier[1].bias)


@pytest.mark.parametrize("backbone", ["mobilenetv3_small_100", "test_convnext", TINY])
def test_the_head_reads_what_timms_own_classifier_would(backbone):
    import timm

    model = student(backbone)
    whole = timm.create_model(backbone, pretrained=False, num_classes=7).eval()
    whole.load_state_dict(model.backbone.state_dict(), strict=False)
    x = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        expected = whole.forward_head(whole.forward_features(x), pre_logits=True)
        read = []
        model.classifier[0].register_forward_pre_hook(lambda _, args: read.append(args[0]))
        model(x)
    torch.testing.assert_close(read[0], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("resnet19", "'resnet19' is not a backbone that timm knows; did you mean resnet18 or "),
        ("resnet18.none_such", "'resnet18.none_such' is not a backbone that timm knows"),
        ("hf-hub:timm/resnet18", "'hf-hub:timm/resnet18' is not a backbone that timm knows"),
        ("local-dir:/tmp", "'local-dir:/tmp' is not a backbone that timm knows"),
        ("", "'' is not a backbone that timm knows; `timm.list_models()` lists the names"),
    ],
)
def test_an_unknown_backbone_is_refused_with_close_names(name, sentence):
    with pytest.raises(RunError) as caught:
        Student(name)
    assert str(caught.value).startswith(sentence)


def test_an_unknown_attention_is_refused():
    with pytest.raises(
        RunError, match="'lstm' is not a kind of attention; expected one of none, mhsa, performer"
    ):
        Student(TINY, "lstm")


def test_a_backbone_of_one_size_refuses_another():
    with pytest.raises(RunError, match="takes films of 160 px only, not 64 px"):
        student("test_vit")(torch.zeros(1, 3, 64, 64))


def test_building_leaves_the_batch_norms_as_timm_made_them():
    model = Student(TINY)
    assert model.training and model.backbone.training
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    assert all((n.running_mean == 0).all() and (n.running_var == 1).all() for n in norms)


@pytest.mark.parametrize("attention", ["mhsa", "performer"])
def test_attention_starts_as_the_identity_and_can_learn(attention):
    model = student(attention=attention)
    x = torch.randn(2, 3, 64, 64)
    torch.testing.assert_close(model.features(x), model.backbone.forward_features(x), rtol=0, atol=0)
    model(x).sum().backward()
    assert model.attention.attention.proj.weight.grad.abs().sum() > 0


@pytest.mark.parametrize("module", [MHSA, Performer])
@pytest.mark.parametrize("shape", [(2, 96, 7, 7), (1, 40, 3, 5), (1, 30, 1, 1)])
def test_attention_keeps_the_shape_of_any_map_and_mixes_its_cells(module, shape):
    attention = trained(module(shape[1]))
    f = torch.randn(shape)
    changed = f.clone()
    changed[:, :, -1, -1] += 1
    with torch.no_grad():
        out, moved = attention(f), attention(changed)
    assert out.shape == f.shape
    assert (out != moved)[:, :, 0, 0].any()  # the first cell answers to the last


@pytest.mark.parametrize("module", [MHSA, Performer])
def test_attention_knows_where_a_cell_lies(module):
    attention = trained(module(32))
    f = torch.ones(1, 32, 3, 3) * torch.randn(1, 32, 1, 1)  # every cell the same
    with torch.no_grad():
        change = (attention(f) - f).flatten(2)
    assert change.std(dim=2).max() > 1e-4


def trained(attention: nn.Module) -> nn.Module:
    """With an output projection other than zero."""
    torch.manual_seed(1)
    nn.init.normal_(attention.attention.proj.weight, std=0.1)
    return attention.eval()


def test_performer_approaches_softmax_attention_as_its_features_grow():
    torch.manual_seed(0)
    q, k, v = (torch.randn(3, 1, 4, 49, 64) * torch.tensor([0.5, 0.5, 1.0]).view(3, 1, 1, 1, 1)).unbind(0)
    exact = F.scaled_dot_product_attention(q, k, v)
    with torch.no_grad():
        error = {m: (FavorAttention(64, features=m)._mix(q, k, v) - exact).norm() for m in (256, 16384)}
    assert error[16384] < 0.3 * (v.mean(2, keepdim=True) - exact).norm()  # far from mere averaging
    assert error[16384] < error[256] / 4  # the error falls with the root of the features: 8 times here


def test_performer_survives_large_values():
    favor = FavorAttention(64)
    q, k, v = (100 * torch.randn(3, 1, 4, 9, 64)).unbind(0)
    assert favor._mix(q, k, v).isfinite().all()


def test_performers_directions_are_orthogonal_and_always_the_same():
    directions = orthogonal_directions(96, 64)
    assert directions.shape == (96, 64)
    torch.testing.assert_close(directions, orthogonal_directions(96, 64), rtol=0, atol=0)
    gram = directions[:64] @ directions[:64].T
    assert (gram - gram.diag().diag()).abs().max() < 1e-4
    assert 6 < directions.norm(dim=1).mean() < 10  # as long as Gaussian vectors of 64: 8


def test_performer_is_exact_in_its_exponentials_under_autocast():
    attention = trained(Performer(64))
    f = torch.randn(1, 64, 7, 7)
    with torch.no_grad():
        plain = attention(f) - f
        with torch.autocast("cpu", dtype=torch.bfloat16):
            half = attention(f) - f
    assert (half - plain).norm() / plain.norm() < 0.02


def test_positions_differ_in_every_cell():
    where = positions(5, 7, 30, torch.device("cpu"))
    assert where.shape == (35, 30)
    assert len(where.unique(dim=0)) == 35


@pytest.mark.slow
def test_parameters_are_those_of_the_published_backbones():
    assert describe(student("efficientnet_b0"), 224).parameters == 4_339_082
    assert describe(student("mobilenetv3_small_100"), 224).parameters == 1_517_856 + 1025 * 256 + 257 * 14


def test_describe_counts_by_hand():
    model = student(hidden=8)
    size = describe(model, 64)
    state = model.state_dict()
    assert size.parameters == sum(p.numel() for p in model.parameters())
    assert size.megabytes == pytest.approx(sum(t.numel() * t.element_size() for t in state.values()) / 1e6)

    counted = []
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(
                lambda m, _, out: counted.append(out[0].numel() * m.weight[0].numel())
            )
        if isinstance(module, nn.Linear):
            module.register_forward_hook(lambda m, *_: counted.append(m.weight.numel()))
    model(torch.zeros(1, 3, 64, 64))
    assert size.multiply_adds == sum(counted)


def test_a_size_is_shown_in_millions_and_billions():
    size = ModelSize(parameters=2_880_000, megabytes=11.66, multiply_adds=312_000_000)
    assert str(size) == "2.88 M parameters, 11.7 MB, 0.31 G multiply-adds"


@pytest.mark.slow
@pytest.mark.parametrize("attention", ["mhsa", "performer"])
def test_describe_changes_nothing_and_counts_attention(attention):
    model = student(attention=attention).train()
    before = copy.deepcopy(model.state_dict())
    size = describe(model, 64)
    assert size.multiply_adds > describe(student(), 64).multiply_adds
    assert model.training
    for name, tensor in model.state_dict().items():
        torch.testing.assert_close(tensor, before[name], rtol=0, atol=0)


@pytest.mark.slow
def test_a_backbone_that_feeds_parameters_to_its_modules_can_be_described():
    model = student("pit_ti_224")
    size = describe(model, 224)
    assert size.parameters == sum(p.numel() for p in model.parameters())
    assert all(p.requires_grad for p in model.parameters())


@pytest.mark.slow
def test_a_refused_backbone_is_told_why():
    with pytest.raises(RunError, match=r"has no features to pool \(AssertionError\)"):
        student("halonet26t")
