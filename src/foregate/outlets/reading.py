"""Read a file of outlets record by record, in bounded memory: CSV and GeoJSON, plain or gzipped.

Rules
  1. A record is named by its line in a CSV file, by its number in a GeoJSON file, both from 1.
  2. What cannot be read spoils its own record: a quote that is never closed takes one line with it, not the rest.
  3. A file that is something else altogether is refused as a whole: NotOutlets.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

import msgspec

from foregate.rules import limits

CHUNK_CHARS: Final = 65_536
LINES_PER_RECORD: Final = 20  # an address with its line breaks
_FEATURES: Final = re.compile(r'"features"\s*:\s*\[')
_BETWEEN: Final = re.compile(r"[\s,]*")

Record = Mapping[str, str]


class NotOutlets(ValueError):
    """The file is no file of outlets; the text says why."""


class Read(msgspec.Struct, frozen=True):
    """One record by the names of its columns, or why there is none."""

    number: int
    record: Record | None
    fault: str = ""


class Source(msgspec.Struct, frozen=True):
    """An open file: its columns (None: they differ by record), its records, and how many bytes were read so far."""

    columns: frozenset[str] | None
    records: Iterator[Read]
    bytes_read: Callable[[], int]


@contextmanager
def opened(path: Path, *, encoding: str = "utf-8-sig", delimiter: str = ",") -> Iterator[Source]:
    """Open a file by what it is called: .csv, .geojson or .json, with or without .gz. Raises NotOutlets."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    kind = suffixes[-2] if len(suffixes) > 1 and suffixes[-1] == ".gz" else suffixes[-1] if suffixes else ""
    with path.open("rb") as raw:
        plain: IO[bytes] = gzip.GzipFile(fileobj=raw) if suffixes and suffixes[-1] == ".gz" else raw  # type: ignore[assignment]  # it reads bytes
        text = io.TextIOWrapper(plain, encoding=encoding, newline="")
        try:
            yield _source(kind, text, delimiter, raw.tell)
        except (UnicodeDecodeError, gzip.BadGzipFile, EOFError) as wrong:
            raise NotOutlets(f"it cannot be read as {encoding} text: {wrong}") from None


def _source(kind: str, text: io.TextIOWrapper, delimiter: str, bytes_read: Callable[[], int]) -> Source:
    if kind == ".csv":
        lines = iter(text)
        try:
            header = [name.strip() for name in next(csv.reader([next(lines, "")], delimiter=delimiter), [])]
        except csv.Error as wrong:
            raise NotOutlets(f"its first line names no columns: {wrong}") from None
        if len(header) < 2 or len(set(header)) < len(header):
            raise NotOutlets("its first line has to name the columns, each by a name of its own")
        return Source(frozenset(header), csv_records(header, lines, delimiter), bytes_read)
    if kind in (".geojson", ".json"):
        return Source(None, geojson_records(text), bytes_read)
    raise NotOutlets("its name has to end in .csv, .geojson or .json, with or without .gz")


def csv_records(header: list[str], lines: Iterator[str], delimiter: str) -> Iterator[Read]:
    """Yield the records of a CSV file after its header, which is line 1."""
    ahead: list[str] = []  # lines that a record had no use for after all
    number = 1
    while (line := ahead.pop(0) if ahead else next(lines, None)) is not None:
        number += 1
        taken, cells, fault = [line], *_cells([line], delimiter)
        while cells is None and not fault:
            more = ahead.pop(0) if ahead else next(lines, None)
            if more is None or len(taken) == LINES_PER_RECORD:
                fault = "a quote is never closed"
                ahead = [*([more] if more is not None else []), *ahead]
                break
            taken.append(more)
            cells, fault = _cells(taken, delimiter)
        if cells == []:
            continue  # an empty line
        if cells is not None and len(cells) != len(header):
            fault = f"{len(cells)} columns in place of {len(header)}"
        if fault:
            fault = fault if len(taken) == 1 else "a quote is never closed"
            ahead, taken = [*taken[1:], *ahead], taken[:1]  # the mistake is in this line; the others may be well
            yield Read(number, None, fault)
        else:
            yield Read(number, dict(zip(header, cells or (), strict=True)))
        number += len(taken) - 1


def _cells(taken: list[str], delimiter: str) -> tuple[list[str] | None, str]:
    """Return the cells of one record, or why there are none; neither when the record goes on in the next line."""
    if sum(map(len, taken)) > limits.OUTLET_ROW_CHARS:
        return None, f"longer than {limits.OUTLET_ROW_CHARS} characters"
    try:
        rows = list(csv.reader(taken, delimiter=delimiter, strict=True))
    except csv.Error as wrong:
        return None, "" if "unexpected end" in str(wrong) else f"not a line of CSV: {wrong}"
    return (rows[0] if rows else []), ""


def geojson_records(text: IO[str]) -> Iterator[Read]:
    """Yield the features of a FeatureCollection. Raises NotOutlets where it is broken: nothing behind can be found."""
    buffer = _up_to_features(text)
    decoder, number, at = json.JSONDecoder(), 0, 0
    while True:
        at = _BETWEEN.match(buffer, at).end()  # type: ignore[union-attr]  # it matches nothing, too
        if at < len(buffer) and buffer[at] == "]":
            return
        try:
            feature, end = decoder.raw_decode(buffer, at)
        except json.JSONDecodeError:
            more = text.read(CHUNK_CHARS)
            if not more or len(buffer) - at > limits.OUTLET_ROW_CHARS + CHUNK_CHARS:
                raise NotOutlets(f"feature {number + 1} is no JSON, or never ends") from None
            buffer, at = buffer[at:] + more, 0
            continue
        number += 1
        yield (
            _read_feature(number, feature)
            if end - at <= limits.OUTLET_ROW_CHARS
            else Read(number, None, f"longer than {limits.OUTLET_ROW_CHARS} characters")
        )
        at = end


def _up_to_features(text: IO[str]) -> str:
    buffer = ""
    while len(buffer) < limits.OUTLET_PREAMBLE_CHARS and (more := text.read(CHUNK_CHARS)):
        buffer += more
        if found := _FEATURES.search(buffer):
            return buffer[found.end() :]
    raise NotOutlets('it holds no "features": a GeoJSON file of outlets is a FeatureCollection')


def _read_feature(number: int, feature: Any) -> Read:
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        return Read(number, None, "not a Feature")
    properties = feature.get("properties") or {}
    if not isinstance(properties, dict):
        return Read(number, None, "its properties are no object")
    record = {str(name): _as_text(value) for name, value in properties.items()}
    if "id" in feature:
        record.setdefault("id", _as_text(feature["id"]))
    geometry = feature.get("geometry")
    if geometry is not None:
        point = geometry.get("coordinates") if isinstance(geometry, dict) and geometry.get("type") == "Point" else None
        if not isinstance(point, list) or len(point) < 2:
            return Read(number, None, "its geometry is no point")
        record |= {"longitude": _as_text(point[0]), "latitude": _as_text(point[1])}
    return Read(number, record)


def _as_text(value: Any) -> str:
    if isinstance(value, list):
        return ";".join(_as_text(one) for one in value)
    if value is None or isinstance(value, dict):
        return ""
    return str(value)
