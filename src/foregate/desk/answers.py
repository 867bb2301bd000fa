"""What a client sends, brought to its type, and what has to be finished outside a transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from foregate.desk import identify
from foregate.rules import inputs
from foregate.rules.social_inputs import Returned
from foregate.rules.words import Who


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """An answer as sent: the version it saw, the step it answers, what was typed, the key that makes it one."""

    version: int
    step: str
    answer: Mapping[str, Any]
    key: str | None = None

    @property
    def digest(self) -> bytes:
        """What tells this answer from another under the same key."""
        return hashlib.sha256(msgspec.json.encode([self.step, self.answer], order="sorted")).digest()


class Slow(msgspec.Struct, frozen=True, kw_only=True):
    """What has to be finished between two transactions: one of a comparison, an act's preparation, a look-up."""

    proof: Any = None
    typed: Any = None
    ticket: Any = None
    given: inputs.Answer | None = None
    prepares: bool = False
    sharing: str | None = None
    social: Any = None  # a trip to WeChat or Alipay
    number: str | None = None  # did it change hands lately?


def typed(kind: type[inputs.AnAnswer], answer: Mapping[str, Any]) -> inputs.AnAnswer:
    """Return the answer as its type, in normal form. Raises InvalidFields with what to type again."""
    try:
        converted = msgspec.convert(dict(answer), kind, strict=True)
    except msgspec.ValidationError as wrong:
        raise inputs.InvalidFields(_named(kind, answer, str(wrong))) from None
    return inputs.normalise(converted)


def _named(kind: type[inputs.Answer], answer: Mapping[str, Any], message: str) -> dict[str, str]:
    missing = {f.name: "empty" for f in inputs.fields_of(kind) if f.required and f.name not in answer}
    if missing:
        return missing
    name = message.rpartition("$.")[2].rstrip("`")
    return {name if name in kind.__struct_fields__ else "answer": "shape"}


def claim_of(answered: Answered | None) -> identify.Claim | Returned | None:
    """Return the claim that an answer makes, if it answers an identifying step. Raises InvalidFields."""
    if answered is None:
        return None
    kind = identify.CLAIMS.get(Who(answered.step)) if answered.step in set(Who) else None
    return typed(kind, answered.answer) if kind else None  # type: ignore[return-value]  # CLAIMS holds the union
