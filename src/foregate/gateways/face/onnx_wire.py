"""ONNX files at the level of bytes: enough to read two lists, drop entries and write a small graph.

An ONNX file is one protocol buffer: fields that are a number and, here, either a whole number or a run of bytes. Only
these two kinds are needed, and every byte that is not named passes through as it was: so what is made from a checked
file is the same on every machine and has a hash of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

VARINT: Final = 0
FIXED64: Final = 1
BYTES: Final = 2
FIXED32: Final = 5

# Numbers of the fields, from onnx.proto.
MODEL_IR_VERSION, MODEL_GRAPH, MODEL_OPSET = 1, 7, 8
OPSET_VERSION = 2
GRAPH_NODE, GRAPH_NAME, GRAPH_INITIALIZER, GRAPH_INPUT, GRAPH_OUTPUT, GRAPH_SHAPES = 1, 2, 5, 11, 12, 13
NODE_INPUT, NODE_OUTPUT, NODE_OPERATOR, NODE_ATTRIBUTE = 1, 2, 4, 5
ATTRIBUTE_NAME, ATTRIBUTE_INT, ATTRIBUTE_INTS, ATTRIBUTE_TYPE = 1, 3, 8, 20
TENSOR_DIMS, TENSOR_TYPE, TENSOR_NAME, TENSOR_RAW = 1, 2, 8, 9
VALUE_NAME, VALUE_TYPE = 1, 2
TYPE_TENSOR, TENSOR_TYPE_ELEMENT, TENSOR_TYPE_SHAPE = 1, 1, 2
SHAPE_DIM, DIM_VALUE, DIM_NAME = 1, 1, 2
FLOAT: Final = 1
INT: Final = 2
INTS: Final = 7


class Malformed(ValueError):
    """These bytes are no protocol buffer, or not of the shape that was asked for."""


def fields(message: bytes) -> Iterator[tuple[int, int | bytes, bytes]]:
    """Yield every field: its number, its value, and the bytes it was written as."""
    at = 0
    while at < len(message):
        start = at
        key, at = _varint(message, at)
        number, kind = key >> 3, key & 7
        value: int | bytes
        if kind == VARINT:
            value, at = _varint(message, at)
        else:
            size = {FIXED32: 4, FIXED64: 8}.get(kind)
            if kind == BYTES:
                size, at = _varint(message, at)
            if size is None or at + size > len(message):
                raise Malformed(f"field {number} ends behind the message")
            value, at = message[at : at + size], at + size
        yield number, value, message[start:at]


def field(number: int, value: int | bytes | str) -> bytes:
    """Write one field."""
    if isinstance(value, int):
        return _as_varint(number << 3 | VARINT) + _as_varint(value)
    raw = value.encode() if isinstance(value, str) else value
    return _as_varint(number << 3 | BYTES) + _as_varint(len(raw)) + raw


def without_stale_inputs(model: bytes) -> bytes:
    """Drop graph inputs that are weights, as old exporters list them: with them weights cannot be folded."""

    def cleaned(graph: bytes) -> bytes:
        weights = {_text(value, TENSOR_NAME) for number, value, _ in fields(graph) if number == GRAPH_INITIALIZER}
        return b"".join(
            raw
            for number, value, raw in fields(graph)
            if number != GRAPH_INPUT or _text(value, VALUE_NAME) not in weights
        )

    return _with_graph(model, cleaned(_graph(model)))


def with_free_sizes(model: bytes) -> bytes:
    """Let height and width of the one input be any, and the outputs as long as they then are."""

    def freed(graph: bytes) -> bytes:
        out = []
        for number, value, raw in fields(graph):
            if number == GRAPH_INPUT:
                free = {2: "height", 3: "width"}
                out.append(field(number, value_info(_text(value, VALUE_NAME), [1, 3, free[2], free[3]])))
            elif number == GRAPH_OUTPUT:
                name = _text(value, VALUE_NAME)
                out.append(field(number, value_info(name, [1, f"cells_{name}", f"values_{name}"])))
            elif number != GRAPH_SHAPES:  # sizes of what lies between, which are no longer true
                out.append(raw)
        return b"".join(out)

    return _with_graph(model, freed(_graph(model)))


def value_info(name: str, shape: Sequence[int | str]) -> bytes:
    """Describe an input or output of floats; a size that is a name is free."""
    dims = b"".join(
        field(SHAPE_DIM, field(DIM_NAME, size) if isinstance(size, str) else field(DIM_VALUE, size)) for size in shape
    )
    tensor = field(TENSOR_TYPE_ELEMENT, FLOAT) + field(TENSOR_TYPE_SHAPE, dims)
    return field(VALUE_NAME, name) + field(VALUE_TYPE, field(TYPE_TENSOR, tensor))


def node(operator: str, inputs: Sequence[str], output: str, **attributes: int | Sequence[int]) -> bytes:
    """Write one operation of a graph."""
    parts = [field(NODE_INPUT, name) for name in inputs]
    parts += [field(NODE_OUTPUT, output), field(NODE_OPERATOR, operator)]
    for name, value in attributes.items():
        if isinstance(value, int):
            body = field(ATTRIBUTE_INT, value) + field(ATTRIBUTE_TYPE, INT)
        else:
            body = b"".join(field(ATTRIBUTE_INTS, each) for each in value) + field(ATTRIBUTE_TYPE, INTS)
        parts.append(field(NODE_ATTRIBUTE, field(ATTRIBUTE_NAME, name) + body))
    return b"".join(parts)


def tensor(name: str, shape: Sequence[int], floats: bytes) -> bytes:
    """Write weights: little-endian floats of 32 bits."""
    if len(floats) != 4 * _product(shape):
        raise Malformed(f"{name} holds {len(floats)} bytes, not {4 * _product(shape)}")
    dims = b"".join(field(TENSOR_DIMS, size) for size in shape)
    return dims + field(TENSOR_TYPE, FLOAT) + field(TENSOR_NAME, name) + field(TENSOR_RAW, floats)


def model(graph: bytes, *, opset: int, ir_version: int) -> bytes:
    """Wrap a graph as a file."""
    return (
        field(MODEL_IR_VERSION, ir_version)
        + field(MODEL_GRAPH, graph)
        + field(MODEL_OPSET, field(OPSET_VERSION, opset))
    )


def _graph(model: bytes) -> bytes:
    found = [value for number, value, _ in fields(model) if number == MODEL_GRAPH]
    if len(found) != 1 or isinstance(found[0], int):
        raise Malformed("a model holds one graph")
    return found[0]


def _with_graph(model: bytes, graph: bytes) -> bytes:
    return b"".join(field(number, graph) if number == MODEL_GRAPH else raw for number, _, raw in fields(model))


def _text(message: int | bytes, wanted: int) -> str:
    if isinstance(message, bytes):
        for number, value, _ in fields(message):
            if number == wanted and isinstance(value, bytes):
                return value.decode()
    raise Malformed(f"field {wanted} is missing")


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(message) and shift < 64:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
    raise Malformed("a number does not end")


def _as_varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _product(shape: Sequence[int]) -> int:
    size = 1
    for each in shape:
        size *= each
    return size
