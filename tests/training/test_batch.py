"""Mixup: who is blended with whom, how much, and what becomes of labels and teachers' answers."""

import numpy as np
import pytest
import torch
from tiny_runs import config, run_to_end, weights

from xlite.training.batch import StepBatch, blended, shares_kept
from xlite.training.fabric import open_fabric
from xlite.training.job import open_job
from xlite.training.step import Learner

KEY = (5, 2, 7)


def batch_of(films: int, seed: int = 0) -> StepBatch:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(films, 3, 8, 8, generator=generator).to(memory_format=torch.channels_last)
    labels = (torch.rand(films, 14, generator=generator) < 0.3).float()
    logits, attributes = (torch.randn(films, count, generator=generator) for count in (14, 3))
    return StepBatch(x, labels, 3 * logits, attributes)


def test_each_film_is_blended_with_its_neighbour_and_keeps_its_share():
    batch = batch_of(5)
    share = torch.tensor([0.9, 0.25, 1.0, 0.0, 0.3])
    mixed = blended(batch, share)
    for row, (other, kept) in enumerate(zip([1, 0, 3, 2, 4], share, strict=True)):
        for name in ("x", "labels", "attributes"):
            values = getattr(batch, name)
            expected = kept * values[row] + (1 - kept) * values[other]
            torch.testing.assert_close(getattr(mixed, name)[row], expected)
        p = batch.file_logits.double().sigmoid()
        expected = (kept * p[row] + (1 - kept) * p[other]).logit().float()
        torch.testing.assert_close(mixed.file_logits[row], expected, rtol=1e-4, atol=1e-5)
    assert torch.equal(mixed.x[2], batch.x[2]) and torch.equal(mixed.x[3], batch.x[2])
    assert torch.equal(mixed.x[4], batch.x[4]) and torch.equal(mixed.labels[4], batch.labels[4])
    torch.testing.assert_close(mixed.file_logits[4], batch.file_logits[4])


def test_what_either_film_lacks_the_blended_film_lacks_and_extremes_stay_finite():
    batch = batch_of(2)
    logits = batch.file_logits.clone()
    logits[0, 3], logits[1, 5] = torch.nan, torch.nan
    logits[:, 0], logits[:, 1] = torch.tensor([14.0, -14.0]), torch.tensor([90.0, 90.0])
    for share in ([0.7, 0.7], [1.0, 0.0]):
        mixed = blended(batch._replace(file_logits=logits), torch.tensor(share)).file_logits
        assert mixed.isnan().nonzero().tolist() == [[0, 3], [0, 5], [1, 3], [1, 5]]
        torch.testing.assert_close(mixed[:, 1], torch.tensor([90.0, 90.0]))
    torch.testing.assert_close(mixed[:, 0], torch.tensor([14.0, 14.0]))
    attributes = torch.tensor([[1.0, torch.nan, 2.0], [0.0, 1.0, -2.0]])
    mixed = blended(batch._replace(attributes=attributes), torch.tensor([1.0, 0.25])).attributes
    torch.testing.assert_close(
        mixed, torch.tensor([[1.0, torch.nan, 2.0], [0.75, torch.nan, 1.0]]), equal_nan=True
    )


def test_a_film_with_an_unknown_label_makes_it_unknown_of_both_that_are_blended():
    batch = batch_of(3)
    labels = batch.labels.clone()
    labels[0, 3] = labels[2, 5] = torch.nan
    for share in ([0.7, 0.7, 0.4], [1.0, 0.0, 0.0]):
        mixed = blended(batch._replace(labels=labels), torch.tensor(share)).labels
        assert mixed.isnan().nonzero().tolist() == [[0, 3], [1, 3], [2, 5]]
        whole, there = blended(batch, torch.tensor(share)).labels, ~mixed.isnan()
        assert torch.equal(mixed[there], whole[there])


def test_the_shares_are_of_the_beta_distribution_and_of_their_key_alone():
    drawn = shares_kept(0.4, 100_000, KEY)
    assert drawn.dtype == np.float32 and drawn.min() >= 0 and drawn.max() <= 1
    assert drawn.mean() == pytest.approx(0.5, abs=0.01)
    assert drawn.var() == pytest.approx(1 / (4 * (2 * 0.4 + 1)), abs=0.005)  # of Beta(a, a)
    np.testing.assert_array_equal(shares_kept(0.4, 100_000, KEY), drawn)
    for key in ((6, 2, 7), (5, 3, 7), (5, 2, 8)):
        assert not np.array_equal(shares_kept(0.4, 100_000, key), drawn)


class OneOfTwo:
    """The Fabric of one of two processes, as far as batches need it."""

    world_size = 2

    def __init__(self, fabric, rank: int):
        self.fabric, self.global_rank = fabric, rank

    def __getattr__(self, name: str):
        return getattr(self.fabric, name)


def test_two_processes_blend_as_one_does(films):
    settings = config(films, "mixed", mixup=0.4, augment="none")
    fabric = open_fabric(settings, "cpu")
    job = open_job(settings, None, lambda done, total: None)
    whole, *parts = (Learner(one, job) for one in (fabric, OneOfTwo(fabric, 0), OneOfTwo(fabric, 1)))
    for learner in (whole, *parts):
        learner.begin(3)
    for batch, *shares in zip(whole.batches(), *(part.batches() for part in parts), strict=True):
        for name in ("x", "labels", "attributes"):
            both = torch.cat([getattr(share, name) for share in shares])
            assert torch.equal(both, getattr(batch, name))
        assert ((batch.labels > 0) & (batch.labels < 1)).any()


@pytest.mark.slow
@pytest.mark.usefixtures("quick_report")
def test_a_teacher_answers_for_the_blended_film(films):
    """Exact resume with mixup is a case of tests/training/test_loop.py."""
    run_to_end(config(films, "teacher", epochs=1))
    plain = config(films, "pupil", teacher="teacher", mixup=0.0, alpha=1.0, epochs=1)
    job = open_job(plain.model_copy(update={"mixup": 1.0}), None, lambda done, total: None)
    learner = Learner(open_fabric(plain, "cpu"), job)
    learner.begin(1)
    batch = next(iter(learner.batches()))
    answer = learner.teacher(batch.x, batch.file_logits).logits
    with torch.no_grad():
        own = learner.teacher.networks[0].network(batch.x)
    torch.testing.assert_close(answer, own, rtol=1e-4, atol=1e-5)
    mixed, _ = run_to_end(plain.model_copy(update={"name": "mixed", "mixup": 1.0}))
    unmixed, _ = run_to_end(plain)
    assert any(not torch.equal(weights(mixed)[key], tensor) for key, tensor in weights(unmixed).items())
