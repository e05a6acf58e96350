"""Bytes of exported files by backbone and precision, as a Markdown table.

    python benchmarks/export_sizes.py

Real files of students with random weights: bytes do not depend on what a network has learned, answers do.
Phantoms say which values the 8-bit layers take.
"""

import argparse
import platform
import tempfile
from datetime import date
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch

from xlite.data.phantom.draw import draw_film
from xlite.data.phantom.labels import draw_labels
from xlite.engines.stamp import answering
from xlite.export.half import halve
from xlite.export.quantise import AT_A_TIME, quantise
from xlite.export.write import export_model
from xlite.images import Preprocess
from xlite.models.checkpoint import save_model
from xlite.models.info import ModelInfo
from xlite.models.onnx_file import OnnxFile, read_onnx
from xlite.models.onnx_graph import parsed
from xlite.models.student import Student

BACKBONES = {
    "efficientnet_b0": "EfficientNet-B0",
    "tf_efficientnet_lite0": "EfficientNet-Lite0",
    "mobilenetv3_small_100": "MobileNetV3-Small",
    "resnet18": "ResNet18",
}
PEER = 27.9
"""MB of the weights of DenseNet121, the usual network for this task, in float32."""


def main() -> None:
    """Prints a row for each backbone."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=224, help="input side in px")
    size = parser.parse_args().size
    labels = draw_labels(AT_A_TIME, AT_A_TIME, 0)
    films = np.stack([draw_film(one, size, seed=0).image for one in labels])
    print("| backbone | fp32 MB | fp16 MB | int8 MB | int8 of DenseNet121's bytes |")
    print("|---|---|---|---|---|")
    for name, title in BACKBONES.items():
        whole = exported(name, size)
        sizes = [len(one.content) / 1e6 for one in (whole, halved(whole), quantised(whole, films))]
        cells = " | ".join(f"{megabytes:.1f}" for megabytes in sizes)
        print(f"| {title} | {cells} | {sizes[-1] / PEER:.0%} |", flush=True)
    print(
        f"\n{date.today()}, Python {platform.python_version()}, torch {torch.__version__}, onnx "
        f"{onnx.__version__}, onnxruntime {onnxruntime.__version__}; films of {size} px."
    )


def exported(backbone: str, size: int) -> OnnxFile:
    """A student with random weights as an export."""
    torch.manual_seed(0)
    model = Student(backbone)
    model.train()
    with torch.no_grad():  # batch norms that saw something keep the values of deep networks in bounds
        model.features(torch.randn(4, 3, size, size))
    info = ModelInfo(
        backbone=backbone,
        attention="none",
        hidden=model.hidden,
        dropout=model.dropout,
        preprocess=Preprocess(size),
        split_id="none",
        label_version="none",
    )
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder) / "model.safetensors", Path(folder) / "model.onnx"
        save_model(source, model.eval(), info)
        export_model(source, out, [])
        return read_onnx(out)


def halved(file: OnnxFile) -> OnnxFile:
    """The export with float16 weights."""
    proto = parsed(file.content)
    halve(proto)
    return answering(proto, file.info, file.facts.model_copy(update={"precision": "fp16"}))


def quantised(file: OnnxFile, films: np.ndarray) -> OnnxFile:
    """The export with 8-bit layers, the others with float16 weights, as `xlite export --int8` has it."""
    proto = quantise(parsed(file.content), films, file.info.preprocess)
    halve(proto)
    return answering(proto, file.info, file.facts.model_copy(update={"precision": "int8"}))


if __name__ == "__main__":
    main()
