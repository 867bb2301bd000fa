"""MiniFASNet's weights as PyTorch saved them, made into an ONNX file without PyTorch.

The weights name the whole network: convolution, normalisation, activation, in the order of their names. Only what the
names do not say stands here: which layers halve the picture, and where a shortcut goes around a block. Not one number
is computed: weights go over byte for byte, so the result has one hash on every machine; onnxruntime folds the
normalisations when it loads.

The file is a pickle, and a pickle can run anything. So its hash is compared first (`models.lock`), and the reader
below knows four names and refuses every other.
"""

from __future__ import annotations

import io
import pickle
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from foregate.gateways.face import onnx_wire as wire

SIDE: Final = 80  # pixels
CLASSES: Final = 3  # an attack in two dimensions, a live face, an attack in three
OPSET: Final = 13
IR_VERSION: Final = 7
HALVING: Final = ("conv1", "conv_23.conv_dw", "conv_34.conv_dw", "conv_45.conv_dw")
FLOAT_BYTES: Final = {"FloatStorage": 4, "LongStorage": 8}


@dataclass(frozen=True)
class Weights:
    """One array: its shape, and its floats as bytes."""

    shape: tuple[int, ...]
    floats: bytes


@dataclass(frozen=True)
class _Stored:
    key: str
    shape: tuple[int, ...]


class _Reader(pickle.Unpickler):
    """Reads arrays and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _stored
        if module == "torch" and name in FLOAT_BYTES:
            return FLOAT_BYTES[name]
        raise pickle.UnpicklingError(f"{module}.{name} has no place among weights")

    def persistent_load(self, pid: Any) -> Any:
        return pid


def _stored(storage: Any, offset: int, shape: Any, *_: object) -> _Stored:
    if offset:
        raise pickle.UnpicklingError("an array that begins inside another")
    return _Stored(storage[2], tuple(shape))


def read_weights(file: bytes) -> dict[str, Weights]:
    """Read the arrays of floats of a file that PyTorch saved in its older form. Raises Malformed."""
    stream = io.BytesIO(file)
    try:
        _magic, _protocol, _system = (_Reader(stream).load() for _ in range(3))
        stored: Mapping[str, _Stored] = _Reader(stream).load()
        keys: list[str] = _Reader(stream).load()
        widths = {each.key: 8 if name.endswith("num_batches_tracked") else 4 for name, each in stored.items()}
        raw = {key: _array(stream, widths[key]) for key in keys}
    except (pickle.UnpicklingError, EOFError, KeyError, TypeError, ValueError, AttributeError) as wrong:
        raise wire.Malformed(f"no weights of PyTorch: {wrong}") from None
    return {
        name.removeprefix("module."): Weights(each.shape, raw[each.key])
        for name, each in stored.items()
        if widths[each.key] == 4
    }


def _array(stream: io.BytesIO, width: int) -> bytes:
    count = int.from_bytes(stream.read(8), "little")
    return stream.read(count * width)


def as_onnx(file: bytes) -> bytes:
    """Make the ONNX file: one picture of 80 × 80 in, the probability of each class out. Raises Malformed."""
    return _Network(read_weights(file)).build()


class _Network:
    """Writes the graph from front to back."""

    def __init__(self, weights: Mapping[str, Weights]) -> None:
        self.weights = weights
        self.nodes: list[bytes] = []
        self.used: list[bytes] = []

    def build(self) -> bytes:
        at = self.block("conv1", "picture")
        at = self.block("conv2_dw", at)
        for stage in ("conv_23", "conv_3", "conv_34", "conv_4", "conv_45", "conv_5"):
            at = self.stage(stage, at)
        at = self.block("conv_6_dw", self.block("conv_6_sep", at))
        at = self.add("Flatten", [at], "flat")
        at = self.add("Gemm", [at, self.use("linear.weight")], "embedding", transB=1)
        at = self.normalised("bn", at)
        at = self.add("Gemm", [at, self.use("prob.weight")], "classes", transB=1)
        self.add("Softmax", [at], "probabilities", axis=1)
        return self.written()

    def stage(self, name: str, at: str) -> str:
        """One block, or a row of them, each with a shortcut around it."""
        if f"{name}.conv.conv.weight" in self.weights:
            return self.depth_wise(name, at)
        row = 0
        while f"{name}.model.{row}.conv.conv.weight" in self.weights:
            block = f"{name}.model.{row}"
            through = self.depth_wise(block, at)
            if f"{block}.se_module.fc1.weight" in self.weights:
                through = self.weighed(f"{block}.se_module", through)
            at = self.add("Add", [at, through], f"{block}.sum")
            row += 1
        return at

    def depth_wise(self, name: str, at: str) -> str:
        for part in ("conv", "conv_dw", "project"):
            at = self.block(f"{name}.{part}", at)
        return at

    def block(self, name: str, at: str) -> str:
        """Convolution, normalisation, and an activation where there are weights for one."""
        at = self.normalised(f"{name}.bn", self.convolved(f"{name}.conv", at, 2 if name in HALVING else 1))
        if f"{name}.prelu.weight" in self.weights:
            return self.add("PRelu", [at, self.use(f"{name}.prelu.weight", per_channel=True)], f"{name}.out")
        return at

    def weighed(self, name: str, at: str) -> str:
        """Weigh every channel by what all of them show on average."""
        weight = self.add("GlobalAveragePool", [at], f"{name}.mean")
        weight = self.normalised(f"{name}.bn1", self.convolved(f"{name}.fc1", weight, 1))
        weight = self.add("Relu", [weight], f"{name}.relu")
        weight = self.normalised(f"{name}.bn2", self.convolved(f"{name}.fc2", weight, 1))
        return self.add("Mul", [at, self.add("Sigmoid", [weight], f"{name}.weight")], f"{name}.weighed")

    def convolved(self, name: str, at: str, stride: int) -> str:
        out, each, side, _ = self.of(f"{name}.weight").shape
        # A kernel of 3 keeps the size; 1 needs no edge, and 5 (the last) takes the whole 5 x 5 that is left.
        edge = 1 if side == 3 else 0
        # `conv1` reads three colours; elsewhere one channel each means that every channel has its own kernel.
        groups = out if each == 1 else 1
        inputs = [at, self.use(f"{name}.weight")]
        shape = {"kernel_shape": [side] * 2, "pads": [edge] * 4, "strides": [stride] * 2}
        return self.add("Conv", inputs, f"{name}.out", **shape, group=groups)

    def normalised(self, name: str, at: str) -> str:
        inputs = [self.use(f"{name}.{part}") for part in ("weight", "bias", "running_mean", "running_var")]
        return self.add("BatchNormalization", [at, *inputs], f"{name}.out")

    def use(self, name: str, *, per_channel: bool = False) -> str:
        weights = self.of(name)
        shape = (*weights.shape, 1, 1) if per_channel else weights.shape
        self.used.append(wire.field(wire.GRAPH_INITIALIZER, wire.tensor(name, shape, weights.floats)))
        return name

    def of(self, name: str) -> Weights:
        if name not in self.weights:
            raise wire.Malformed(f"there is no {name} among the weights")
        return self.weights[name]

    def add(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self.nodes.append(wire.field(wire.GRAPH_NODE, wire.node(operator, inputs, output, **attributes)))
        return output

    def written(self) -> bytes:
        graph = b"".join(self.nodes) + wire.field(wire.GRAPH_NAME, "minifasnet")
        graph += b"".join(self.used)
        graph += wire.field(wire.GRAPH_INPUT, wire.value_info("picture", [1, 3, SIDE, SIDE]))
        graph += wire.field(wire.GRAPH_OUTPUT, wire.value_info("probabilities", [1, CLASSES]))
        return wire.model(graph, opset=OPSET, ir_version=IR_VERSION)
