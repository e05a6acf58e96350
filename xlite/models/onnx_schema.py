"""The part of ONNX's schema by which a file is looked through, for protobuf's own parser.

From onnx.proto of the ONNX project; fields that are not named here are passed over. The
package `onnx` has all of it, at a tenth of a light install, and only exports need that.
"""

from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

EXTERNAL = 1  # TensorProto.DataLocation
_STRING, _BYTES, _INT = "string", "bytes", "int64"
# message: {field: (number, type, whether there may be several)}
_MESSAGES: dict[str, dict[str, tuple[int, str, bool]]] = {
    "Entry": {"key": (1, _STRING, False), "value": (2, _STRING, False)},
    "Dimension": {"dim_value": (1, _INT, False)},
    "Shape": {"dim": (1, "Dimension", True)},
    "Tensor": {"shape": (2, "Shape", False)},
    "Type": {"tensor_type": (1, "Tensor", False)},
    "ValueInfo": {"name": (1, _STRING, False), "type": (2, "Type", False)},
    "Numbers": {
        "name": (8, _STRING, False),
        "external_data": (13, "Entry", True),
        "data_location": (14, _INT, False),
    },
    "Attribute": {
        "t": (5, "Numbers", False),
        "g": (6, "Graph", False),
        "tensors": (10, "Numbers", True),
        "graphs": (11, "Graph", True),
        "sparse_tensor": (22, _BYTES, False),
        "sparse_tensors": (23, _BYTES, True),
    },
    "Node": {
        "op_type": (4, _STRING, False),
        "attribute": (5, "Attribute", True),
        "domain": (7, _STRING, False),
    },
    "Graph": {
        "node": (1, "Node", True),
        "initializer": (5, "Numbers", True),
        "input": (11, "ValueInfo", True),
        "output": (12, "ValueInfo", True),
        "sparse_initializer": (15, _BYTES, True),
    },
    "Model": {
        "graph": (7, "Graph", False),
        "metadata_props": (14, "Entry", True),
        "training_info": (20, _BYTES, True),
        "functions": (25, _BYTES, True),
    },
}


@cache
def model_class() -> Any:
    """The class of a model file's content; `.FromString` reads bytes, or raises DecodeError."""
    file = descriptor_pb2.FileDescriptorProto(name="xlite/onnx.proto", package="xlite.onnx", syntax="proto3")
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, (number, kind, several) in fields.items():
            _add_field(message, field, number, kind, several)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("xlite.onnx.Model"))


def _add_field(message: Any, name: str, number: int, kind: str, several: bool) -> None:
    proto = descriptor_pb2.FieldDescriptorProto
    plain = {_STRING: proto.TYPE_STRING, _BYTES: proto.TYPE_BYTES, _INT: proto.TYPE_INT64}
    field = message.field.add(
        name=name,
        number=number,
        label=proto.LABEL_REPEATED if several else proto.LABEL_OPTIONAL,
        type=plain.get(kind, proto.TYPE_MESSAGE),
    )
    if kind not in plain:
        field.type_name = f".xlite.onnx.{kind}"
