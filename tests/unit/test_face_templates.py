"""Templates: turned by a key, and by nothing else; of one engine, and of no other."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from foregate.gateways.face import templates
from foregate.gateways.face.recogniser import fused, normal
from foregate.ports.face import Unusable

ENGINE, OTHER_ENGINE = "00112233445566aa", "00112233445566ab"
KEY, OTHER_KEY = b"k" * 32, b"l" * 32


def vector(seed: int) -> NDArray[np.float32]:
    return normal(np.random.default_rng(seed).normal(size=128).astype(np.float32))


def test_a_score_is_what_it_was() -> None:
    """Turning changes no comparison: a turn keeps lengths and angles."""
    one, other = vector(1), normal(vector(1) + 0.6 * vector(2))

    turned = templates.cosine(other, templates.pack(one, ENGINE, KEY), ENGINE, KEY)

    assert float(one @ other) == pytest.approx(turned, abs=1e-3)
    assert templates.cosine(one, templates.pack(one, ENGINE, KEY), ENGINE, KEY) == pytest.approx(1, abs=1e-3)


def matrix(key: bytes) -> NDArray[np.float32]:
    return np.stack([templates.turned(axis, key) for axis in np.eye(128, dtype=np.float32)])


def test_a_turn_is_a_turn() -> None:
    """Orthogonal to the last digit that counts."""
    turn = matrix(KEY)

    assert np.abs(turn @ turn.T - np.eye(128)).max() < 1e-5


def test_every_turn_is_as_likely() -> None:
    """Where an axis ends is spread as evenly as directions are: no coordinate is larger than another, on average."""
    for axis in (0, 127):
        start = np.eye(128, dtype=np.float32)[axis]
        ends = np.stack([templates.turned(start, bytes([n]) * 32) for n in range(200)])
        assert (ends**2).mean(axis=0) == pytest.approx(np.full(128, 1 / 128), rel=0.6)
        assert np.abs(ends.mean(axis=0)).max() < 4.5 / math.sqrt(128 * 200)


def test_a_turn_is_the_same_for_ever() -> None:
    """No next version of anything may lose every template. These numbers are of the format, and never change."""
    assert templates.turned(np.eye(128, dtype=np.float32)[0], KEY)[:3] == pytest.approx(
        [-0.06346, 0.01966, -0.18472], abs=1e-4
    )


def test_under_two_keys_a_face_has_nothing_in_common() -> None:
    """Leaked templates cannot be matched with one another: like strangers, over fifty faces."""
    likeness = [
        abs(
            float(
                templates.unpack(templates.pack(vector(n), ENGINE, KEY), ENGINE)
                @ templates.unpack(templates.pack(vector(n), ENGINE, OTHER_KEY), ENGINE)
            )
        )
        for n in range(50)
    ]
    assert max(likeness) < 0.4
    assert float(np.mean(likeness)) < 0.12


def test_with_another_key_nobody_is_recognised() -> None:
    """A new key revokes a template."""
    template = templates.pack(vector(1), ENGINE, KEY)

    assert abs(templates.cosine(vector(1), template, ENGINE, OTHER_KEY)) < 0.4


@pytest.mark.parametrize(
    "spoil",
    [
        lambda template: b"",
        lambda template: template[:-1],
        lambda template: template + b"\0",
        lambda template: b"\x02" + template[1:],
        lambda template: template[: -256] + b"\xff" * 256,
    ],
    ids=["empty", "short", "long", "format", "not numbers"],
)  # fmt: skip
def test_what_is_no_template_is_refused(spoil) -> None:  # type: ignore[no-untyped-def]  # five small functions
    """It is refused and not compared."""
    with pytest.raises(Unusable):
        templates.cosine(vector(1), spoil(templates.pack(vector(1), ENGINE, KEY)), ENGINE, KEY)


def test_another_engines_template_is_refused() -> None:
    """Its numbers mean something else, and would match somebody by chance."""
    with pytest.raises(Unusable, match=ENGINE):
        templates.cosine(vector(1), templates.pack(vector(1), ENGINE, KEY), OTHER_ENGINE, KEY)


def test_a_short_key_is_refused() -> None:
    """31 bytes are too few, 32 are enough."""
    with pytest.raises(ValueError, match="32"):
        templates.turned(vector(1), b"k" * 31)
    assert (128,) == templates.turned(vector(1), b"k" * 32).shape


def test_fusing_is_the_mean_of_directions() -> None:
    """A long vector counts no more than a short one."""
    one, other = vector(1), vector(2)

    assert fused([one, other]) == pytest.approx(fused([one * 7, other]), abs=1e-6)
    assert float(fused([one, one]) @ one) == pytest.approx(1, abs=1e-6)
