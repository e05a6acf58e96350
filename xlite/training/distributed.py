"""Several processes as one: each takes its share of a batch, and the step equals that of one process."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

_FOR_EVER = timedelta(days=10_000)


def as_one_batch() -> AbstractContextManager[object]:
    """Within it a step on this process's share of a batch acts as one on the whole; alone it does nothing."""
    return _WholeBatch() if dist.is_initialized() and dist.get_world_size() > 1 else nullcontext()


def agreed(flag: bool) -> bool:
    """The first process's flag, on each process."""
    if not dist.is_initialized():
        return flag
    flags = [flag]
    dist.broadcast_object_list(flags)
    return flags[0]


@contextmanager
def leader_first() -> Iterator[None]:
    """The block runs in the first process and then, if it ended well there, in all others at once.

    They wait as long as the first one lives; if the block fails there, they get torch's RuntimeError.
    """
    wait = _patient_barrier()
    if dist.is_initialized() and dist.get_rank() > 0:
        wait()
        yield
    else:
        yield
        wait()


def final_barrier() -> Callable[[], None]:
    """To be made while all processes are there: a call that waits until each of them has made it or has gone.

    If they left one by one, a launcher might end those that still work.
    """
    barrier = _patient_barrier()

    def wait() -> None:
        with suppress(RuntimeError):  # another has gone
            barrier()

    return wait


def _patient_barrier() -> Callable[[], None]:
    """To be made by all processes: a call that waits until each has made it; RuntimeError if one goes.

    What one does alone may take longer than a collective waits, so this is a group of its own, which is
    patient; it needs no GPU.
    """
    if not dist.is_initialized():
        return lambda: None
    patient = dist.new_group(backend="gloo", timeout=_FOR_EVER)

    def barrier() -> None:
        dist.all_reduce(torch.zeros(1), group=patient)

    return barrier


def gathered(tensors: list[Tensor]) -> Tensor:
    """The tensors (n, …) of all processes, one after the other, on each of them; they must be on the CPU."""
    mine = torch.cat(tensors)
    if not dist.is_initialized():
        return mine
    everyones: list[Tensor] = [mine] * dist.get_world_size()
    dist.all_gather_object(everyones, mine)
    return torch.cat(everyones)


class _WholeBatch(TorchFunctionMode):
    """While it is entered, batch norms and dropout act as on the batch of all processes together.

    Batch norms take their statistics over all processes (as torch.nn.SyncBatchNorm does, which knows no CPU);
    dropout draws the whole batch's mask on each process, seeded alike, and uses the rows of its own share.
    Each process must hold as many films of the batch as the others.
    """

    def __torch_function__(
        self,
        function: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Replaces the two functions whose result on a share differs from that on the whole."""
        kwargs = kwargs or {}
        if function is F.batch_norm:
            return _batch_norm(*args, **kwargs)
        if function is F.dropout:
            return _dropout(*args, **kwargs)
        return function(*args, **kwargs)


class _SumOverProcesses(torch.autograd.Function):
    """The sum of a tensor over all processes; each process's loss depends on each process's summand."""

    @staticmethod
    def forward(context: object, summand: Tensor) -> Tensor:
        """The sum, of the summand's shape."""
        total = summand.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(context: object, gradient: Tensor) -> Tensor:
        """The sum of the processes' gradients."""
        total = gradient.clone()
        dist.all_reduce(total)
        return total


def _sum_over_processes(summand: Tensor) -> Tensor:
    total: Tensor = _SumOverProcesses.apply(summand)  # type: ignore[no-untyped-call]
    return total


def _batch_norm(
    x: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """F.batch_norm of x (B, C, …), its mean and variance (C,) taken over the films of all processes."""
    if not training:
        return F.batch_norm(x, running_mean, running_var, weight, bias, False, momentum, eps)
    axes = [axis for axis in range(x.ndim) if axis != 1]
    shape = [1, -1] + [1] * (x.ndim - 2)
    count = x.numel() // x.shape[1] * dist.get_world_size()
    wide = x.float()
    mean = _sum_over_processes(wide.sum(axes)) / count
    centred = wide - mean.view(shape)
    # From the centred values: a mean of squares less a squared mean would lose the small variances.
    variance = _sum_over_processes(centred.square().sum(axes)) / count
    if running_mean is not None and running_var is not None:
        with torch.no_grad():
            running_mean.lerp_(mean, momentum)
            running_var.lerp_(variance * count / max(count - 1, 1), momentum)
    scale = (variance + eps).rsqrt()
    y = centred * (scale if weight is None else scale * weight).view(shape)
    return (y if bias is None else y + bias.view(shape)).to(x.dtype)


def _dropout(x: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """F.dropout of x (B, …) with this process's rows of the mask that one process would draw for all."""
    if not training or p == 0:
        return x
    rank, rows = dist.get_rank(), len(x)
    whole = F.dropout(x.new_ones(dist.get_world_size() * rows, *x.shape[1:]), p)
    return x * whole[rank * rows : (rank + 1) * rows]
