"""Public ImageNet weights, known by their tensors: a file of them has no chest film behind it."""

import hashlib
from collections.abc import Mapping

from torch import Tensor

IMAGENET = {
    "ad199f7fef6372f3aeebacddf4210e161ea7b050a3ae9e3dfd8bddf2c27e96cb": "tf_efficientnet_lite0",
    "650361f6ed201d93f25e02171a3341044294f3c727146e31cb2778838946179c": "tf_efficientnet_lite2",
    "362cc5aac68084a006fbd176b9bb6336eab8f7a63a72bb7053f6e1483b26337e": "mobilenet_v2, dequantised",
}
"""What they are, by the digest of their backbone: timm's `in1k` weights, and torchvision's int8 ones."""


def known_imagenet(backbone: Mapping[str, Tensor]) -> str | None:
    """Which public ImageNet weights a backbone's tensors are, under timm's names; None if they are others."""
    return IMAGENET.get(digest_of_tensors(backbone))


def digest_of_tensors(tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 of names, shapes and values, whatever file they came in; of floating point alone."""
    digest = hashlib.sha256()
    for name in sorted(name for name, tensor in tensors.items() if tensor.is_floating_point()):
        tensor = tensors[name].detach().cpu().float().contiguous()
        digest.update(f"{name} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()
