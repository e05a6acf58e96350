"""Several exports as one graph, which answers as `Ensemble` does. Features are those of the first member."""

import hashlib
from collections.abc import Sequence

import numpy as np
import onnx
from onnx import GraphProto, ModelProto, TensorProto, compose, helper, numpy_helper

from xlite.engines.ensemble import check_cells, check_members, joint_info, nested
from xlite.engines.stamp import answering
from xlite.findings import FINDINGS
from xlite.models.info import ModelInfo
from xlite.models.onnx_file import DISAGREEMENT, MAPS, TOLERANCES, ExportFacts, OnnxFile
from xlite.models.onnx_graph import parsed, recalibrate

AVERAGED = ("logits", *MAPS)


def merged(names: Sequence[str], files: Sequence[OnnxFile]) -> OnnxFile:
    """The ensemble of at least two exports, with neither calibration nor thresholds; `names` are for errors.

    Those of the members are not those of the mean of their logits. Raises CheckpointError for members that do
    not read the same input, were trained on other splits, or whose maps have other cells.
    """
    proto, info, facts = merged_graph(names, files)
    return answering(proto, info, facts)


def merged_graph(
    names: Sequence[str], files: Sequence[OnnxFile]
) -> tuple[ModelProto, ModelInfo, ExportFacts]:
    """What `merged` is made of, without a golden answer of its own yet."""
    _check(names, files)
    protos = [parsed(file.content) for file in files]
    graph = GraphProto(name="ensemble")
    graph.input.append(protos[0].graph.input[0])
    for number, proto in enumerate(protos):
        part = compose.add_prefix_graph(proto.graph, _prefix(number), rename_inputs=False)
        graph.node.extend(part.node)
        graph.initializer.extend(part.initializer)
    for output in protos[0].graph.output:
        graph.output.append(output)
    graph.node.extend(_averages(len(protos)))
    graph.node.append(helper.make_node("Identity", [f"{_prefix(0)}features"], ["features"]))
    graph.node.extend(_deviation(graph, len(protos)))
    apart = helper.make_tensor_value_info(DISAGREEMENT, TensorProto.FLOAT, ["batch", len(FINDINGS)])
    graph.output.append(apart)
    opsets = {one.opset_import[0].version for one in protos}
    ensemble = helper.make_model(graph, opset_imports=[helper.make_opsetid("", max(opsets))])
    ensemble.ir_version = max(one.ir_version for one in protos)
    recalibrate(ensemble, None)
    return ensemble, joint_info([file.info for file in files]), _facts(files)


def _prefix(number: int) -> str:
    return f"member {number} "


def _averages(members: int) -> list[onnx.NodeProto]:
    """The mean over the members of each of AVERAGED."""
    return [
        helper.make_node("Mean", [f"{_prefix(number)}{name}" for number in range(members)], [name])
        for name in AVERAGED
    ]


def _deviation(graph: GraphProto, members: int) -> list[onnx.NodeProto]:
    """The standard deviation of the members' own calibrated probabilities; of two, half their difference."""
    own = [f"{_prefix(number)}probabilities" for number in range(members)]
    graph.initializer.append(numpy_helper.from_array(np.array([0]), "members"))
    rows = [helper.make_node("Unsqueeze", [name, "members"], [f"{name} row"]) for name in own]
    return [
        *rows,
        helper.make_node("Concat", [f"{name} row" for name in own], ["all probabilities"], axis=0),
        helper.make_node("ReduceMean", ["all probabilities", "members"], ["mean probability"], keepdims=1),
        helper.make_node("Sub", ["all probabilities", "mean probability"], ["deviations"]),
        helper.make_node("Mul", ["deviations", "deviations"], ["squares"]),
        helper.make_node("ReduceMean", ["squares", "members"], ["variance"], keepdims=0),
        helper.make_node("Sqrt", ["variance"], [DISAGREEMENT]),
    ]


def _check(names: Sequence[str], files: Sequence[OnnxFile]) -> None:
    check_members(names, [file.info for file in files])
    check_cells(names, [(len(one), len(one[0])) for one in (file.facts.golden.layercam[0] for file in files)])
    if any(DISAGREEMENT in _outputs(file) for file in files):
        raise nested()


def _outputs(file: OnnxFile) -> list[str]:
    return [one.name for one in parsed(file.content).graph.output]


def _facts(files: Sequence[OnnxFile]) -> ExportFacts:
    """Sums of what the members cost; as precise as the least precise of them."""
    loosest = max((file.facts.precision for file in files), key=list(TOLERANCES).index)
    hashes = "\n".join(file.facts.source_sha256 for file in files)
    return ExportFacts(
        source=" + ".join(file.facts.source for file in files),
        source_sha256=hashlib.sha256(hashes.encode()).hexdigest(),
        precision=loosest,
        parameters=sum(file.facts.parameters for file in files),
        multiply_adds=sum(file.facts.multiply_adds for file in files),
        golden=files[0].facts.golden,
    )
