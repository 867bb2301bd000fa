"""Reading large XML from strangers: piece by piece, bounded, and without anything that XML can be made to do.

Rules
  1. A document type is refused when it begins: no entity is declared, none is expanded, nothing is fetched.
  2. Depth, text, attributes and elements of one piece are bounded; memory does not grow with the file.
  3. A piece is a small tree of `Node`s, yielded when its element ends and forgotten after.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Final

# Expat alone tells when a document type begins, before anything of it is done.
from xml.parsers import expat

from foregate.accounts.statements import Refused
from foregate.rules import limits

CHUNK_BYTES: Final = 64 * 1024
_SEPARATOR: Final = " "


class Node:
    """An element with what is in it. Names are without their namespace."""

    __slots__ = ("attributes", "children", "line", "name", "parts", "skipped")

    def __init__(self, name: str, attributes: dict[str, str], line: int) -> None:
        self.name, self.attributes, self.line = name, attributes, line
        self.children: list[Node] = []
        self.parts: list[str] = []
        self.skipped = 0  # equal children after the first that were counted and not kept

    @property
    def text(self) -> str:
        """The text of the element itself."""
        return "".join(self.parts).strip()

    def find(self, path: str) -> Node | None:
        """Return the first element at `path`, such as BkTxCd/Domn/Cd."""
        name, _, rest = path.partition("/")
        for child in self.children:
            if child.name == name:
                found = child.find(rest) if rest else child
                if found is not None:
                    return found
        return None

    def all(self, path: str) -> list[Node]:
        """Return every element at `path`."""
        name, _, rest = path.partition("/")
        nodes = [child for child in self.children if child.name == name]
        return [found for node in nodes for found in node.all(rest)] if rest else nodes

    def at(self, *paths: str) -> str:
        """Return the text at the first of `paths` that has one, else nothing."""
        for path in paths:
            found = self.find(path)
            if found is not None and found.text:
                return found.text
        return ""


class Ended(str):
    """The name of an element that has ended, of those that were asked for."""

    __slots__ = ("line",)
    line: int


class XmlStream:
    """Yields pieces of a document: a `Node` for each element in `pieces`, an `Ended` for each end of one in `ends`.

    `first_only` are elements of a piece of which the first is kept and the others are counted.
    """

    def __init__(self, pieces: frozenset[str], ends: frozenset[str], first_only: frozenset[str]) -> None:
        self._pieces, self._ends, self._first_only = pieces, ends, first_only
        self._parser = expat.ParserCreate(namespace_separator=_SEPARATOR)
        self._parser.buffer_text = True
        self._parser.StartDoctypeDeclHandler = self._refuse_doctype
        self._parser.EntityDeclHandler = self._refuse_doctype
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._path: list[str] = []
        self._open: list[Node] = []
        self._ready: list[Node | Ended] = []
        self._nodes = self._skipping = 0
        self.namespace = ""  # of the document's first element
        self.root: list[str] = []  # names of the first two elements

    def read(self, file: BinaryIO) -> Iterator[Node | Ended]:
        """Yield the pieces of `file`. Raises Refused."""
        is_over = False
        while not is_over:
            chunk = file.read(CHUNK_BYTES)
            is_over = not chunk
            try:
                self._parser.Parse(chunk, is_over)
            except expat.ExpatError as wrong:
                what = expat.errors.messages.get(wrong.code, "not well-formed")
                raise Refused(wrong.lineno, f"no XML: {what}") from None
            except (LookupError, ValueError):
                raise Refused(self._parser.CurrentLineNumber, "no XML: unknown encoding") from None
            yield from self._ready
            self._ready.clear()

    def _refuse_doctype(self, *_: object) -> None:
        raise Refused(self._parser.CurrentLineNumber, "a document type, which no statement has")

    def _start(self, qualified: str, attributes: dict[str, str]) -> None:
        namespace, _, name = qualified.rpartition(_SEPARATOR)
        line = self._parser.CurrentLineNumber
        if len(self._path) >= limits.XML_DEPTH:
            raise Refused(line, f"elements within elements, more than {limits.XML_DEPTH} deep")
        if len(self.root) < 2:
            self.root.append(name)
            self.namespace = self.namespace or namespace
        self._path.append(name)
        if self._skipping:
            self._skipping += 1
        elif self._open:
            self._grow(name, attributes, line)
        elif name in self._pieces:
            self._nodes = 1
            self._open.append(Node(name, attributes, line))

    def _grow(self, name: str, attributes: dict[str, str], line: int) -> None:
        parent = self._open[-1]
        if name in self._first_only and any(child.name == name for child in parent.children):
            parent.skipped += 1
            self._skipping = 1
            return
        self._nodes += 1
        if self._nodes > limits.XML_NODES:
            raise Refused(line, f"more than {limits.XML_NODES} elements in one entry")
        node = Node(name, attributes, line)
        parent.children.append(node)
        self._open.append(node)

    def _text(self, text: str) -> None:
        if self._open and not self._skipping:
            node = self._open[-1]
            node.parts.append(text)
            if sum(map(len, node.parts)) > limits.XML_TEXT_CHARS:
                raise Refused(self._parser.CurrentLineNumber, f"a text of more than {limits.XML_TEXT_CHARS} characters")

    def _end(self, qualified: str) -> None:
        name = self._path.pop()
        if self._skipping:
            self._skipping -= 1
        elif self._open:
            node = self._open.pop()
            if not self._open:
                self._ready.append(node)
        elif name in self._ends:
            ended = Ended(name)
            ended.line = self._parser.CurrentLineNumber
            self._ready.append(ended)
