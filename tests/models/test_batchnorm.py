import pytest
import torch
from tiny_models import TINY, random_statistics, same, untrained
from torch import nn

from xlite.models.batchnorm import is_folded, refit_batchnorm


@pytest.mark.parametrize("backbone", [TINY, "test_efficientnet"])
def test_refit_keeps_the_eval_function_and_makes_train_mode_agree_with_it(backbone):
    model = random_statistics(untrained(backbone))
    films = torch.randn(24, 3, 64, 64) * 2 + 1
    with torch.no_grad():
        before = model(films)
        model.train()
        model.classifier.eval()  # dropout aside
        assert (model(films) - before).norm() > 0.1 * before.norm()  # statistics of other data: train differs
        for norm in (m for m in model.modules() if isinstance(m, nn.BatchNorm2d)):
            norm.num_batches_tracked.zero_()
        random_statistics(model)
        before = model(films)

        norms = refit_batchnorm(model, [films[:8], films[8:]])

        assert norms == sum(isinstance(m, nn.BatchNorm2d) for m in model.modules())
        torch.testing.assert_close(model(films), before, rtol=1e-3, atol=1e-5)
        model.train()
        model.classifier.eval()
        torch.testing.assert_close(model(films), before, rtol=1e-3, atol=1e-4)


def test_refit_restores_modes_and_removes_its_hooks():
    model = random_statistics(untrained()).train()
    model.classifier.eval()
    refit_batchnorm(model, [torch.randn(2, 3, 64, 64)])
    assert model.training and model.backbone.training and not model.classifier.training
    assert not any(m._forward_pre_hooks for m in model.modules())


def test_refit_without_films_is_refused_and_changes_nothing():
    model, untouched = untrained(), untrained()
    with pytest.raises(ValueError, match="at least one batch"):
        refit_batchnorm(model, [])
    assert same(model, untouched)


def test_folded_means_neutral_statistics_and_a_bias():
    model = untrained()
    assert not is_folded(model)  # never trained: neutral, but no bias
    nn.init.ones_(model.backbone.bn1.bias)
    assert is_folded(model)
    nn.init.ones_(model.backbone.bn1.running_mean)
    assert not is_folded(model)
    assert not is_folded(untrained("test_convnext"))  # no batch norm at all
