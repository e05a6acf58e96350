"""Student: any timm backbone, attention over its features, global average pooling, a head for 14 findings."""

import copy
import difflib
from typing import Any

import timm
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from xlite.errors import RunError, Setting
from xlite.findings import FINDINGS
from xlite.models.attention import MHSA, Performer
from xlite.models.info import ModelSize

ATTENTIONS = {"none": nn.Identity, "mhsa": MHSA, "performer": Performer}


class Student(nn.Module):
    """Films float32 (B, 3, S, S), normalised -> logits (B, 14); starts from random weights.

    Its last output before pooling are the *features* (B, C, h, w), with C `feature_channels`.

    Some backbones transform the pooled features before their classifier (MobileNetV3 by a convolution,
    ConvNeXt by a norm). That step belongs to `pool_head`: the head's first layer reads what the classifier
    would have read, and every logit is a function of the mean of `features`, as `xlite.explain` relies on.
    """

    def __init__(
        self,
        backbone: str,
        attention: str = "none",
        hidden: int = 256,
        dropout: float = 0.3,
        stages: int = 0,
    ):
        """`hidden` units before the logits, 0 for none; of the backbone the first `stages`, 0 for all.

        RunError for a name that timm does not know or that gives no features with cells, or for stages that
        it does not have.
        """
        super().__init__()
        if attention not in ATTENTIONS:
            raise RunError(
                f"{attention!r} is not a kind of attention; expected one of {', '.join(ATTENTIONS)}"
            )
        self.backbone_name, self.attention_name = backbone, attention
        self.hidden, self.dropout, self.stages = hidden, dropout, stages
        self.backbone = create_backbone(backbone)
        if stages:
            _keep_stages(self.backbone, backbone, stages)
        config = self.backbone.pretrained_cfg
        self.fixed_size: int | None = config["input_size"][-1] if config.get("fixed_input_size") else None
        self.feature_channels, self.num_features = self._measure()
        self.attention = ATTENTIONS[attention](self.feature_channels)
        layers = [nn.Linear(self.num_features, hidden), nn.ReLU()] if hidden else []
        last = nn.Linear(hidden or self.num_features, len(FINDINGS))
        self.classifier = nn.Sequential(*layers, nn.Dropout(dropout), last)

    def features(self, x: Tensor) -> Tensor:
        """The last features, after attention: (B, 3, S, S) -> (B, C, h, w)."""
        f: Tensor = self.attention(self._backbone_features(x))
        return f

    def pool_head(self, pooled: Tensor) -> Tensor:
        """The logits of pooled features: (B, C) -> (B, 14)."""
        logits: Tensor = self.classifier(self.pre_logits(pooled))
        return logits

    def head(self, f: Tensor) -> Tensor:
        """The logits of features: (B, C, h, w) -> (B, 14)."""
        return self.pool_head(f.mean((2, 3)))

    def forward(self, x: Tensor) -> Tensor:
        """The logits of films: (B, 3, S, S) -> (B, 14)."""
        return self.head(self.features(x))

    def _backbone_features(self, x: Tensor) -> Tensor:
        """The backbone's features as (B, C, h, w), whichever layout the backbone has."""
        if self.fixed_size and x.shape[-1] != self.fixed_size:
            raise RunError(
                f"{self.backbone_name} takes films of {self.fixed_size} px only, not {x.shape[-1]} px; set ",
                Setting("image_size"),
                f" to {self.fixed_size}, or ",
                Setting("backbone"),
                " to another one",
            )
        f: Tensor = self.backbone.forward_features(x)
        if f.ndim == 4:
            return f.permute(0, 3, 1, 2) if self._channels_last() else f
        tokens = f[:, getattr(self.backbone, "num_prefix_tokens", 0) :]
        batch, count, channels = tokens.shape
        side = round(count**0.5)
        return tokens.transpose(1, 2).reshape(batch, channels, side, side)

    def _channels_last(self) -> bool:
        return getattr(self.backbone, "output_fmt", "NCHW") == "NHWC"

    def pre_logits(self, pooled: Tensor) -> Tensor:
        """What a classifier would read, from pooled features: (B, C) -> (B, `num_features`)."""
        cell = (
            pooled[:, None, None, :] if self._channels_last() else pooled[:, :, None, None]
        )  # 1 x 1 of them
        read: Tensor = self.backbone.forward_head(cell, pre_logits=True)
        return read.flatten(1)

    @torch.no_grad()
    def _measure(self) -> tuple[int, int]:
        """Channels of the features, and of what a classifier would read, measured on one small film."""
        was_training = self.backbone.training
        self.backbone.eval()  # batch norm statistics must not move
        side = self.fixed_size or 128
        try:
            f = self._backbone_features(torch.zeros(1, 3, side, side))
            widths = f.shape[1], self.pre_logits(f.mean((2, 3))).shape[1]
        except (RuntimeError, ValueError, TypeError, AttributeError, AssertionError) as error:
            raise RunError(
                f"{self.backbone_name!r} has no features to pool ({str(error) or type(error).__name__}); "
                "choose a convolutional one"
            ) from error
        self.backbone.train(was_training)
        return widths


def create_backbone(name: str) -> Any:  # an nn.Module with methods of timm's that have no common type
    """The timm backbone without classifier or pooling, random weights; never from a hub or a folder."""
    known = timm.is_model(name) and ("." not in name or name in timm.list_pretrained(name))
    if not known:
        close = difflib.get_close_matches(name, timm.list_models(), n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(close)}?" if close else "`timm.list_models()` lists the names."
        raise RunError(f"{name!r} is not a backbone that timm knows; {hint}")
    try:
        return timm.create_model(name, pretrained=False, num_classes=0, global_pool="")
    except (TypeError, AssertionError, ValueError) as error:
        raise RunError(
            f"{name!r} cannot be built without pooling ({error}); choose a convolutional backbone"
        ) from error


def _keep_stages(backbone: Any, name: str, stages: int) -> None:
    """Takes away what follows the first `stages`, in place; RunError if the backbone has not so many."""
    has = len(backbone.feature_info)
    if stages > has:
        raise RunError(
            f"{name} has {has} stages, not {stages}: set ", Setting("stages"), " to fewer, 0 for all"
        )
    backbone.prune_intermediate_layers([stages - 1], prune_norm=True, prune_head=True)


def describe(model: Student, image_size: int) -> ModelSize:
    """Counts without computing (on a copy that has shapes only), for one film of `image_size` px."""
    # The counter refuses a module whose input is a parameter that wants a gradient (PiT, CaiT).
    shapes = copy.deepcopy(model).to("meta").eval().requires_grad_(False)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        shapes(torch.zeros(1, 3, image_size, image_size, device="meta"))
    tensors = model.state_dict().values()
    return ModelSize(
        parameters=sum(p.numel() for p in model.parameters()),
        megabytes=sum(t.numel() * t.element_size() for t in tensors) / 1e6,
        multiply_adds=counter.get_total_flops() // 2,
    )
