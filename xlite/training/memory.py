"""What to do about a device with too little memory: find how small the parts of a batch must be."""

import copy

import torch

from xlite.config import TrainConfig
from xlite.errors import RunError
from xlite.findings import FINDINGS
from xlite.training.step import Trainer

_FEWEST = 2
"""Films in the smallest part: batch norm needs two."""


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether torch found too little memory; it has an error of its own for a GPU's only."""
    return isinstance(error, torch.OutOfMemoryError) or "allocate memory" in str(error)


def fitting_parts(trainer: Trainer) -> int | None:
    """The fewest parts (1, 2, 4, …) of a batch that fit the device's memory; None where two films do not."""
    films, parts = trainer.sampler.films_a_step, 1
    while films // parts >= _FEWEST:
        if _fits(trainer, -(-films // parts)):
            return parts
        parts *= 2
    return None


def _fits(trainer: Trainer, films: int) -> bool:
    """Whether the gradients of a part of so many films can be had; the student is left as it was."""
    before = copy.deepcopy(trainer.student.state_dict())
    size = trainer.job.info.preprocess.size
    x = torch.zeros(films, 3, size, size)
    labels, known = torch.zeros(films, len(FINDINGS)), torch.full((films, len(FINDINGS)), torch.nan)
    trainer.model.train()
    try:
        trainer.gradients(trainer.fabric.to_device((x, labels, known)), parts=1)
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        return False
    finally:
        trainer.optimizer.zero_grad()
        trainer.student.load_state_dict(before)
        if trainer.fabric.device.type == "cuda":
            torch.cuda.empty_cache()
    return True


def choose_parts(trainer: Trainer) -> str:
    """Has each batch divided into as few parts as fit, and says so. RunError where two films do not."""
    films = trainer.sampler.films_a_step
    parts = fitting_parts(trainer)
    if parts is None:
        raise too_little_memory(trainer.job.config, None)
    trainer.accumulate = parts
    return f"Batches of {films} go through the device's memory in {parts} part{'s' * (parts > 1)}"


def too_little_memory(config: TrainConfig, parts: int | None) -> RunError:
    """What a run says whose batches do not fit, but would in `parts`; None: not even two films do."""
    sentence = (
        f"the device has too little memory for batches of {config.batch_size} at {config.image_size} px"
        + (f" in {config.accumulate} parts" if config.accumulate > 1 else "")
    )
    lighter = "" if config.grad_checkpointing else ", or --grad-checkpointing"
    if parts is None:
        return RunError(f"{sentence}, and for two films too: use a smaller --image-size or backbone{lighter}")
    fits = config.batch_size // parts
    return RunError(
        f"{sentence}: --batch-size {fits} fits, or --accumulate {parts} for the same steps (--auto-batch "
        f"finds it by itself){lighter}"
    )
