"""What to do about a device with too little memory: find the gradient accumulation that fits."""

import copy

import torch

from xlite.config import TrainConfig
from xlite.errors import RunError, Setting
from xlite.findings import FINDINGS
from xlite.training.auxiliary import ATTRIBUTES
from xlite.training.batch import StepBatch
from xlite.training.step import Learner

_FEWEST = 2
"""Films in the smallest micro-batch: batch norm needs two."""


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether torch ran out of memory; it has an error of its own for a GPU's only."""
    return isinstance(error, torch.OutOfMemoryError) or "allocate memory" in str(error)


def fitting_accumulation(learner: Learner) -> int | None:
    """The fewest micro-batches (1, 2, 4, …) that fit the device's memory; None if two films do not."""
    films, micro_batches = learner.sampler.films_a_step, 1
    while films // micro_batches >= _FEWEST:
        if _fits(learner, -(-films // micro_batches)):
            return micro_batches
        micro_batches *= 2
    return None


def _fits(learner: Learner, films: int) -> bool:
    """Whether the gradients of a micro-batch of so many films fit; the student is left as it was."""
    before = copy.deepcopy(learner.student.state_dict())
    size = learner.job.info.preprocess.size
    x = torch.zeros(films, 3, size, size)
    labels, file_logits = torch.zeros(films, len(FINDINGS)), torch.full((films, len(FINDINGS)), torch.nan)
    known = torch.full((films, len(ATTRIBUTES)), torch.nan)
    learner.model.train()
    try:
        batch = StepBatch(*learner.fabric.to_device([x, labels, file_logits, known]))
        learner.gradients(batch, micro_batches=1)
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        return False
    finally:
        learner.optimizer.zero_grad()
        learner.student.load_state_dict(before)
        if learner.fabric.device.type == "cuda":
            torch.cuda.empty_cache()
    return True


def choose_accumulation(learner: Learner) -> str:
    """Sets the least gradient accumulation that fits, and says which. RunError if two films do not fit."""
    films = learner.sampler.films_a_step
    micro_batches = fitting_accumulation(learner)
    if micro_batches is None:
        raise too_little_memory(learner.job.config, None)
    learner.accumulate = micro_batches
    if micro_batches == 1:
        return f"Batches of {films} fit the device's memory without gradient accumulation"
    return (
        f"Gradient accumulation: batches of {films} in {micro_batches} micro-batches fit the device's memory"
    )


def too_little_memory(config: TrainConfig, micro_batches: int | None) -> RunError:
    """The error of a run whose batches do not fit, but would in `micro_batches`; None: not even two films."""
    told = f"the device has too little memory for batches of {config.batch_size} at {config.image_size} px"
    if config.accumulate > 1:
        told += f" in {config.accumulate} micro-batches"
    lighter = () if config.grad_checkpointing else (", or ", Setting("grad_checkpointing"))
    if micro_batches is None:
        smaller = (": use a smaller ", Setting("image_size"), " or ", Setting("backbone"))
        return RunError(f"{told}, and for two films too", *smaller, *lighter)
    return RunError(
        f"{told}: ",
        Setting("batch_size"),
        f" {config.batch_size // micro_batches} fits, or ",
        Setting("accumulate"),
        f" {micro_batches} for the same steps (",
        Setting("auto_batch"),
        " finds it by itself)",
        *lighter,
    )
