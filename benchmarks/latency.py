"""How long one film takes on the CPU, from the bytes of a PNG to 14 probabilities and three overlays.

    python benchmarks/latency.py mobilenetv3_small_100 efficientnet_b0 --films FOLDER

Each argument is a run, a model file, an export, or a timm backbone, which is then exported with random
weights. Beside each model stand decoding alone; the limit, which is decoding, resizing and the bare network
in onnxruntime; the reading behind the gate; and the peer, DenseNet121 in torch with pytorch-grad-cam for
three findings. Goals: at most 1.3 times the limit, for MobileNetV3-Small a fiftieth of the peer, and the
gate at most 15 % of a reading. Without --films phantoms are drawn.
"""

import argparse
import tempfile
from collections import defaultdict
from pathlib import Path

from turns import Way, bare_network, film_folder, percentiles, times

from xlite.export.films import parity_films
from xlite.export.write import export_model
from xlite.models.available import EXPORT_FILE, EXPORT_SUFFIX, MODEL_FILE, find_model
from xlite.processors import processors


def with_random_weights(backbone: str, attention: str, size: int, folder: Path) -> Path:
    """A student of 14 findings on a timm backbone, as a model file."""
    from xlite.images import Preprocess
    from xlite.models.checkpoint import save_model
    from xlite.models.info import ModelInfo
    from xlite.models.student import Student

    model = Student(backbone, attention).eval()
    path = folder / MODEL_FILE
    info = ModelInfo(
        backbone=backbone,
        attention=attention,
        hidden=model.hidden,
        dropout=model.dropout,
        preprocess=Preprocess(size),
        split_id="none",
        label_version="none",
    )
    folder.mkdir()
    save_model(path, model, info)
    return path


def prepared(spec: str, attention: str, size: int, folder: Path) -> tuple[Path, Path]:
    """The model to read with, exported if it is not, and its bare network."""
    import timm

    folder.mkdir()
    model = (
        with_random_weights(spec, attention, size, folder / "m") if timm.is_model(spec) else find_model(spec)
    )
    export = model
    if model.suffix != EXPORT_SUFFIX:
        export = folder / EXPORT_FILE
        export_model(model, export, parity_films(None))
    return export, bare_network(export, folder / "bare.onnx")


def main() -> None:
    """Prints a row for each model, number of threads and way to read."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("models", nargs="+", help="runs, model files, exports or timm backbones")
    parser.add_argument("--attention", default="none", help="attention of the backbones named")
    parser.add_argument("--size", type=int, default=224, help="input side in px of the backbones named")
    parser.add_argument("--films", type=Path, help="a folder of PNGs")
    parser.add_argument("--rounds", type=int, default=3, help="turns that each way takes")
    parser.add_argument("--repeats", type=int, default=30, help="films in a turn")
    parser.add_argument("--threads", type=int, nargs="+", default=sorted({1, processors()}))
    options = parser.parse_args()

    print("| model | threads | way | p50 ms | p95 ms | times the limit | times faster than the peer |")
    print("|---|---|---|---|---|---|---|")
    with film_folder(options.films) as films, tempfile.TemporaryDirectory() as folder:
        for number, spec in enumerate(options.models):
            export, bare = prepared(spec, options.attention, options.size, Path(folder) / str(number))
            files = {
                "decode": "",
                "limit": str(bare),
                "read": str(export),
                "guarded": str(export),
                "peer": "",
            }
            for threads in options.threads:
                found: dict[str, list[float]] = defaultdict(list)
                for _ in range(options.rounds):
                    for name, model in files.items():
                        found[name] += times(Way(name, films, model, threads, options.repeats))
                limit, peer = (percentiles(found[name])[0] for name in ("limit", "peer"))
                for name in files:
                    p50, p95 = percentiles(found[name])
                    cells = (f"{p50:.1f}", f"{p95:.1f}", f"{p50 / limit:.2f}", f"{peer / p50:.1f}")
                    print(f"| {spec} | {threads} | {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
