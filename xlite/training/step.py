"""What is trained and one step of it; the loop decides what follows what, and keeps the run's folder."""

import math
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from numpy.typing import NDArray
from timm.utils.model_ema import ModelEmaV3
from torch import Tensor, nn

from xlite.data.augmentation import ODDS, BatchAugment, augmentation
from xlite.data.dataset import ahead, loader, model_input
from xlite.errors import RunError, Setting
from xlite.findings import FINDINGS
from xlite.metrics.per_finding import auc_per_class
from xlite.models.student import Student
from xlite.training.batch import StepBatch, blended, shares_kept
from xlite.training.distributed import as_one_batch, gathered
from xlite.training.job import Job
from xlite.training.losses import share_of
from xlite.training.optimizer import learning_rate, make_optimizer, set_rate
from xlite.training.sampler import EpochSampler, Rank
from xlite.training.task import Losses

_Module = TypeVar("_Module", bound=nn.Module)


class Learner:
    """Model, optimizer, moving average and data loaders of a job. Each process holds one, all in step."""

    def __init__(self, fabric: Fabric, job: Job):
        self.fabric, self.job = fabric, job
        config = job.config
        self.on_gpu = fabric.device.type == "cuda"
        self.augment = self._augmentation()
        self.attributes = job.attributes.to(fabric.device)
        self.all_labelled = not job.train.labels.isnan().any()
        process = Rank(fabric.global_rank, fabric.world_size)
        self.sampler = EpochSampler(
            len(job.train), config.batch_size, config.seed, job.sample_weights, process
        )
        self.loader = loader(job.train, self.sampler.films_a_step, self.sampler, config.workers, self.on_gpu)
        mine = range(fabric.global_rank, len(job.val), fabric.world_size)
        self.val_loader = loader(job.val, config.batch_size, mine, config.workers, self.on_gpu)
        self.accumulate = config.accumulate
        self.finite_steps = torch.zeros((), dtype=torch.long, device=fabric.device)
        self.student = job.task.student
        if config.grad_checkpointing:
            _checkpoint_gradients(self.student)
        optimizer = make_optimizer(job.task, config, fused=self.on_gpu and config.precision != "16")
        # Depthwise convolutions run more than twice as fast on a CPU when the channels come last.
        _channels_last(job.task)
        if config.compile:
            job.task.compile()
        self.model, self.optimizer = fabric.setup(job.task, optimizer)
        # Outside of what Fabric sets up: it is neither trained nor saved, and no process has to agree on it.
        self.teacher = _channels_last(job.teacher.to(fabric.device))
        self.ema = ModelEmaV3(self.student, decay=config.ema, use_warmup=True) if config.ema else None

    def _augmentation(self) -> BatchAugment | None:
        """Augments whole batches on a GPU; on a CPU the data set does it, film by film, and this is None."""
        job, config = self.job, self.job.config
        if config.augment == "none":
            return None
        odds = ODDS[config.augment]
        if self.on_gpu:  # the cores would keep it waiting
            rank, device = self.fabric.global_rank, self.fabric.device
            return BatchAugment(len(job.train), config.flip, config.seed, device, rank, odds)
        job.train.augment = augmentation(config.flip, odds)
        return None

    @property
    def kept(self) -> Student:
        """The plain student whose weights are validated and saved: the moving average if there is one."""
        if self.ema is None:
            return self.student
        average = self.ema.module
        assert isinstance(average, Student)
        return average

    def epoch(self, epoch: int) -> Iterator[Tensor]:
        """Trains an epoch; after each step gives the means of its Losses so far, float32 (5,) on the device.

        `finite_steps` counts the steps before the first whose loss is NaN or infinite.
        """
        self.begin(epoch)
        steps = len(self.loader)
        sums = torch.zeros(len(Losses._fields), device=self.fabric.device)
        self.finite_steps.zero_()
        for step, batch in enumerate(self.batches()):
            sums += self.step(batch, (epoch - 1) * steps + step)
            self.finite_steps += sums[0].isfinite()
            yield sums / (step + 1)

    def begin(self, epoch: int) -> None:
        """Seeds all that an epoch draws: its order, its augmentation and its dropout."""
        seed_all(self.job.config.seed, epoch)
        self.sampler.set_epoch(epoch)
        self.job.train.set_epoch(epoch)
        if self.augment is not None:
            self.augment.set_epoch(epoch)
        self.model.train()

    def batches(self) -> Iterator[StepBatch]:
        """The batches of the epoch begun last, on the device, augmented, normalised and blended."""
        for step, batch in enumerate(ahead(self.loader) if self.on_gpu else self.loader):
            films, labels, file_logits = self.fabric.to_device([batch.films, batch.labels, batch.file_logits])
            if self.augment is not None:
                films = self.augment(films, batch.rows)
            attributes = self.attributes[batch.rows.to(self.fabric.device, non_blocking=True)]
            ready = StepBatch(model_input(films, self.job.train.preprocess), labels, file_logits, attributes)
            yield self._blended(ready, step) if self.job.config.mixup else ready

    def _blended(self, batch: StepBatch, step: int) -> StepBatch:
        """The batch of a step with its films blended; each process takes its own part of the draws."""
        config, films, rank = self.job.config, len(batch.x), self.fabric.global_rank
        key = config.seed, self.sampler.epoch, step
        shares = shares_kept(config.mixup, films * self.fabric.world_size, key)
        mine = torch.from_numpy(shares[rank * films : (rank + 1) * films])
        return blended(batch, mine.to(batch.x.device, non_blocking=True))

    def step(self, batch: StepBatch, number: int) -> Tensor:
        """One step, the run's `number`th, on a batch on the device; returns its Losses as float32 (5,)."""
        set_rate(self.optimizer, learning_rate(self.job.config, number, len(self.loader)))
        losses = self.gradients(batch, self.accumulate)
        if self.job.config.grad_clip:
            # The loop reports a norm that is NaN, with the films; fp16's scaler skips such a step.
            self.fabric.clip_gradients(
                self.model, self.optimizer, max_norm=self.job.config.grad_clip, error_if_nonfinite=False
            )
        self.optimizer.step()
        self.optimizer.zero_grad()
        if self.ema is not None:
            self.ema.update(self.student, step=number)
        return losses

    def gradients(self, batch: StepBatch, micro_batches: int) -> Tensor:
        """Accumulates the gradients of a batch over its micro-batches; returns its Losses as float32 (5,)."""
        sums, told = torch.zeros(len(Losses._fields), device=self.fabric.device), self._told(batch)
        chunks = list(zip(*(tensor.chunk(micro_batches) for tensor in batch), strict=True))
        for number, (x, labels, file_logits, attributes) in enumerate(chunks, 1):
            share = len(x) / len(batch.x)
            with self.fabric.no_backward_sync(self.model, enabled=number < len(chunks)), as_one_batch():
                x = x.contiguous(memory_format=torch.channels_last)
                with self.fabric.autocast():
                    answer = self.teacher(x, file_logits)
                losses = self.model(x, labels, answer.logits, answer.features, attributes, told)
                self.fabric.backward(losses.loss * share)
            sums += share * torch.stack([loss.detach() for loss in losses])
        return sums

    def _told(self, batch: StepBatch) -> Tensor:
        """The share of films and findings of the whole step of which label or teacher tell something.

        What a film counts depends neither on its micro-batch nor on its process.
        """
        taught = self.teacher.speaks(batch.file_logits)
        told = share_of(self.job.task.tells(~batch.labels.isnan(), taught))
        return told if self.all_labelled else self.over_processes(told)

    def validate(self, before_batch: Callable[[], None]) -> tuple[float, NDArray[np.float64]]:
        """BCE and the AUCs (14,) of the weights that would be kept, on the whole validation part.

        Unknown labels are left out. What `before_batch` raises ends the validation.
        """
        kept = self.kept.eval()
        logits, labels = [], []
        with torch.inference_mode(), self.fabric.autocast():
            for batch in self.val_loader:
                before_batch()
                x = model_input(self.fabric.to_device(batch.films), self.job.val.preprocess)
                logits.append(kept(x).float().cpu())
                labels.append(batch.labels)
        all_logits, all_labels = gathered(logits), gathered(labels)
        known = ~all_labels.isnan()
        loss = F.binary_cross_entropy_with_logits(all_logits[known], all_labels[known]).item()
        if not math.isfinite(loss):
            return loss, np.full(len(FINDINGS), np.nan)
        return loss, auc_per_class(all_labels.numpy(), all_logits.numpy())

    def over_processes(self, tensor: Tensor, operation: str = "mean") -> Tensor:
        """The mean (or `min`) of each element over all processes, on each of them."""
        reduced = self.fabric.all_reduce(tensor, reduce_op=operation)
        assert isinstance(reduced, Tensor)
        return reduced

    def state_dict(self) -> dict[str, Any]:
        """All that `load_state_dict` needs to go on exactly, as tensors and plain values."""
        content = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "precision": self.fabric.strategy.precision.state_dict(),
            "accumulate": self.accumulate,
        }
        return content if self.ema is None else {**content, "ema": self.ema.module.state_dict()}

    def load_state_dict(self, content: dict[str, Any]) -> None:
        """Goes back to what `state_dict` gave; KeyError, RuntimeError or TypeError for anything else."""
        self.model.load_state_dict(content["model"])
        self.optimizer.load_state_dict(content["optimizer"])
        self.fabric.strategy.precision.load_state_dict(content["precision"])
        self.accumulate = content["accumulate"]
        if self.ema is not None:
            self.ema.module.load_state_dict(content["ema"])


def not_compiled(error: RuntimeError) -> str:
    """Why torch could not compile the step, in its own words; empty if the error is another one."""
    from torch._dynamo.exc import TorchDynamoException  # slow to import, and only --compile needs it

    return str(error).splitlines()[0] if isinstance(error, TorchDynamoException) else ""


def seed_all(seed: int, epoch: int) -> None:
    """Seeds torch's draws (dropout, weights) from (seed, epoch); order and augmentation seed their own."""
    torch.manual_seed(int(np.random.SeedSequence((seed, epoch)).generate_state(1, np.uint64)[0] >> 1))


def _channels_last(module: _Module) -> _Module:
    """The module with its weights laid out for images whose channels come last in memory."""
    return module.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def _checkpoint_gradients(student: Student) -> None:
    """Has the backbone recompute its activations in the backward pass; RunError if it cannot."""
    try:
        student.backbone.set_grad_checkpointing(True)
    except (AttributeError, AssertionError) as error:
        raise RunError(
            f"{student.backbone_name} cannot recompute its activations: leave ",
            Setting("grad_checkpointing"),
            " out",
        ) from error
