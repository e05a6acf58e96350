"""What is trained and how an epoch of it goes; the loop around it keeps the run's folder."""

import math
from collections.abc import Callable, Iterator

import numpy as np
import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from timm.utils import ModelEmaV3
from torch import Tensor, nn

from xlite.data.augmentation import BatchAugment, augmentation
from xlite.data.dataset import ahead, loader, model_input
from xlite.errors import RunError
from xlite.findings import FINDINGS
from xlite.metrics.per_finding import auc_per_class
from xlite.models.student import Student
from xlite.training.distributed import as_one_batch, gathered
from xlite.training.job import Job
from xlite.training.optimizer import learning_rate, make_optimizer, set_rate
from xlite.training.sampler import EpochSampler
from xlite.training.task import PARTS

Batch = tuple[Tensor, ...]
"""x (B, 3, S, S), labels (B, 14) and what predictions files know (B, 14), on the device."""


class Trainer:
    """Model, optimizer, moving average and loaders of a job. Each process holds one; they go in step."""

    def __init__(self, fabric: Fabric, job: Job):
        self.fabric, self.job = fabric, job
        config = job.config
        self.on_gpu = on_gpu = fabric.device.type == "cuda"
        self.augment = None
        if config.augment and on_gpu:  # whose cores would be waited for
            self.augment = BatchAugment(
                len(job.train), config.flip, config.seed, fabric.device, fabric.global_rank
            )
        elif config.augment:
            job.train.augment = augmentation(config.flip)
        self.sampler = EpochSampler(
            len(job.train),
            config.batch_size,
            config.seed,
            job.sample_weights,
            fabric.global_rank,
            fabric.world_size,
        )
        self.loader = loader(job.train, self.sampler.films_a_step, self.sampler, config.workers, on_gpu)
        mine = range(fabric.global_rank, len(job.val), fabric.world_size)
        self.val_loader = loader(job.val, config.batch_size, mine, config.workers, on_gpu)
        self.accumulate = config.accumulate
        self.broke_at = torch.zeros((), dtype=torch.long, device=fabric.device)
        self.student = job.task.student
        if config.grad_checkpointing:
            _checkpoint_gradients(self.student)
        optimizer = make_optimizer(job.task, config, fused=on_gpu and config.precision != "16")
        # Depthwise convolutions run more than twice as fast on a CPU when the channels come last.
        job.task.to(memory_format=torch.channels_last)
        if config.compile:
            job.task.compile()
        self.model, self.optimizer = fabric.setup(job.task, optimizer)
        # Outside of what Fabric sets up: it is neither trained nor saved, and no process has to agree on it.
        self.teacher = job.teacher.to(fabric.device, memory_format=torch.channels_last)
        self.ema = ModelEmaV3(self.student, decay=config.ema, use_warmup=True) if config.ema else None

    @property
    def kept(self) -> nn.Module:
        """The plain student whose weights are validated and saved: the moving average where there is one."""
        return self.ema.module if self.ema is not None else self.student

    def epoch(self, epoch: int) -> Iterator[Tensor]:
        """Trains an epoch; after each step gives the means of the PARTS so far, on the device.

        `broke_at` counts the steps before the first whose loss is no number.
        """
        self.begin(epoch)
        steps = len(self.loader)
        sums = torch.zeros(len(PARTS), device=self.fabric.device)
        self.broke_at.zero_()
        for step, batch in enumerate(self.batches()):
            sums += self.step(batch, (epoch - 1) * steps + step)
            self.broke_at += sums[0].isfinite()
            yield sums / (step + 1)

    def begin(self, epoch: int) -> None:
        """Seeds all that an epoch draws: its order, its augmentation and its dropout."""
        seed_all(self.job.config.seed, epoch)
        self.sampler.set_epoch(epoch)
        self.job.train.set_epoch(epoch)
        if self.augment is not None:
            self.augment.set_epoch(epoch)
        self.model.train()

    def batches(self) -> Iterator[Batch]:
        """The batches of the epoch begun last, on the device, augmented and normalised."""
        for *there, rows in ahead(self.loader) if self.on_gpu else self.loader:
            films, labels, known = self.fabric.to_device(there)
            if self.augment is not None:
                films = self.augment(films, rows)
            yield model_input(films, self.job.train.preprocess), labels, known

    def step(self, batch: Batch, number: int) -> Tensor:
        """One step, the run's `number`th, on a batch that is on the device; returns its PARTS, detached."""
        set_rate(self.optimizer, learning_rate(self.job.config, number, len(self.loader)))
        sums = self.gradients(batch, self.accumulate)
        if self.job.config.grad_clip:
            # A norm that is no number is told by the loop, with the films; fp16's scaler skips such a step.
            self.fabric.clip_gradients(
                self.model, self.optimizer, max_norm=self.job.config.grad_clip, error_if_nonfinite=False
            )
        self.optimizer.step()
        self.optimizer.zero_grad()
        if self.ema is not None:
            self.ema.update(self.student, step=number)
        return sums

    def gradients(self, batch: Batch, parts: int) -> Tensor:
        """Adds up the gradients of a batch, one part of it after the other; returns its PARTS."""
        sums = torch.zeros(len(PARTS), device=self.fabric.device)
        chunks = list(zip(*(tensor.chunk(parts) for tensor in batch), strict=True))
        for number, (x, labels, known) in enumerate(chunks, 1):
            share = len(x) / len(batch[0])
            with self.fabric.no_backward_sync(self.model, enabled=number < len(chunks)), as_one_batch():
                x = x.contiguous(memory_format=torch.channels_last)
                with self.fabric.autocast():
                    answer = self.teacher(x, known)
                losses = self.model(x, labels, answer.logits, answer.features)
                self.fabric.backward(losses["loss"] * share)
            sums += share * torch.stack([losses[part].detach() for part in PARTS])
        return sums

    def validate(self, heed: Callable[[], None]) -> tuple[float, np.ndarray]:
        """BCE and the 14 AUCs of the weights that would be kept, on the whole validation part.

        `heed` is called before each batch; what it raises ends the validation.
        """
        kept = self.kept.eval()
        logits, labels = [], []
        with torch.inference_mode(), self.fabric.autocast():
            for films, y, _, _ in self.val_loader:
                heed()
                x = model_input(self.fabric.to_device(films), self.job.val.preprocess)
                logits.append(kept(x).float().cpu())
                labels.append(y)
        all_logits, all_labels = gathered(logits), gathered(labels)
        loss = F.binary_cross_entropy_with_logits(all_logits, all_labels).item()
        if not math.isfinite(loss):
            return loss, np.full(len(FINDINGS), np.nan)
        return loss, auc_per_class(all_labels.numpy(), all_logits.numpy())

    def state_dict(self) -> dict[str, object]:
        """All that `load_state_dict` needs to go on exactly, as tensors and plain values."""
        content: dict[str, object] = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "precision": self.fabric.strategy.precision.state_dict(),
            "accumulate": self.accumulate,
        }
        return content if self.ema is None else {**content, "ema": self.ema.module.state_dict()}

    def load_state_dict(self, content: dict[str, object]) -> None:
        """Goes back to what `state_dict` gave; KeyError, RuntimeError or TypeError where it is not that."""
        self.model.load_state_dict(content["model"])
        self.optimizer.load_state_dict(content["optimizer"])
        self.fabric.strategy.precision.load_state_dict(content["precision"])
        self.accumulate = content["accumulate"]
        if self.ema is not None:
            self.ema.module.load_state_dict(content["ema"])


def not_compiled(error: RuntimeError) -> str:
    """Why torch could not compile the step, in its own words; empty where the error is another one."""
    from torch._dynamo.exc import TorchDynamoException  # slow to import, and only --compile needs it

    return str(error).splitlines()[0] if isinstance(error, TorchDynamoException) else ""


def seed_all(seed: int, epoch: int) -> None:
    """Seeds torch's draws (dropout, weights) from (seed, epoch); order and augmentation seed their own."""
    torch.manual_seed(int(np.random.SeedSequence((seed, epoch)).generate_state(1, np.uint64)[0] >> 1))


def _checkpoint_gradients(student: Student) -> None:
    """Has the backbone recompute its activations in the backward pass; RunError where it cannot."""
    try:
        student.backbone.set_grad_checkpointing(True)
    except (AttributeError, AssertionError) as error:
        raise RunError(
            f"{student.backbone_name} cannot recompute its activations: leave --grad-checkpointing out"
        ) from error
