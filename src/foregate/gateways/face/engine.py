"""The engine: pictures are looked at in a pool, and sets of them judged.

Theory of operation
  Looking is costly and has a pool of its own; judging is arithmetic on what was seen. What a picture showed goes back
  to the caller as packed-up bytes, so a set may come in parts (a gesture is asked for only after the one before was
  done), to whichever node.

  What looks takes 45 MiB and most of a second to load, so nothing of it is imported before the first face: a process
  that is shown none pays for none.

  Its threads yield to everybody else on the machine, and onnxruntime gets no further ones: a wave of faces makes faces
  slow, and not passwords.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from foregate.gateways.face import lock
from foregate.gateways.pool import Pool
from foregate.ports.face import Look
from foregate.rules import limits
from foregate.rules.faces import Closeness, Failure, Flaw, closeness, flaw_of, flaw_of_any
from foregate.rules.gestures import Gesture

if TYPE_CHECKING:
    from foregate.gateways.face.nets import Nets

PACKAGES: Final = ("numpy", "cv2", "onnxruntime")
NICE: Final = 5  # steps behind everybody else's threads: a third of their share when all want to run


class Engine:
    """A `ports.FaceEngine`. Loads its models with the first picture. Close it when done.

    Raises `lock.ModelsMissing` at once when the folder does not hold them, byte for byte, and ModuleNotFoundError when
    a package that it needs is not installed.
    """

    def __init__(self, folder: Path, *, threads: int | None = None, queue: int = limits.FACE_QUEUE) -> None:
        for package in PACKAGES:
            if find_spec(package) is None:
                raise ModuleNotFoundError(f"{package} is not installed", name=package)
        self._paths = lock.checked_paths(folder)
        self._nets: Nets | None = None
        self._loading = threading.Lock()
        # Half of the processors: the others go on signing people in.
        threads = threads or max(1, len(os.sched_getaffinity(0)) // 2)
        self._pool = Pool("faces", threads=threads, queue=queue, begin=_yield_to_others)
        self._engine_id = lock.engine_id(lock.ALIGNMENT)

    @property
    def engine_id(self) -> str:
        """Name the detector, the recogniser and how faces are cut out."""
        return self._engine_id

    @property
    def nets(self) -> Nets:
        """The models, loaded by whoever comes first."""
        from foregate.gateways.face.nets import Nets

        with self._loading:
            if self._nets is None:
                self._nets = Nets(self._paths)
            return self._nets

    async def look(self, pictures: Sequence[bytes]) -> tuple[Look, ...]:
        """Look at pictures that are to be matched. Raises BadPicture, Busy."""

        def see() -> tuple[Look, ...]:
            from foregate.gateways.face import frames, judging

            seen = [self.nets.see(frame) for frame in frames.decode_each(pictures)]
            return tuple(judging.look_of(each, flaw_of(each.measured)) for each in seen)

        return await self._pool.run(see)

    async def watch(self, pictures: Sequence[bytes]) -> tuple[Look, ...]:
        """Look at the pictures of one gesture, in their order. Raises BadPicture, Busy."""

        def follow() -> tuple[Look, ...]:
            from foregate.gateways.face import frames, judging

            seen = self.nets.follow(frames.decode_each(pictures))
            return tuple(judging.look_of(each, flaw_of_any(each.measured)) for each in seen)

        return await self._pool.run(follow)

    def judge(self, looks: Sequence[Look]) -> Flaw | Failure | None:
        """Return why these pictures cannot be matched, or None."""
        from foregate.gateways.face import judging

        return judging.judge(looks)

    def judge_gesture(self, asked: Gesture, looks: Sequence[Look], watched: Sequence[Look]) -> Flaw | Failure | None:
        """Return why `watched` does not show what was asked for by the person in `looks`, or None."""
        from foregate.gateways.face import judging

        return judging.judge_gesture(asked, looks, watched)

    def enrol(self, looks: Sequence[Look], key: bytes) -> bytes:
        """Make a template of pictures that `judge` has passed."""
        from foregate.gateways.face import judging, templates

        return templates.pack(judging.vector_of(looks), self.engine_id, key)

    def compare(self, looks: Sequence[Look], template: bytes, key: bytes, limit: int) -> Closeness:
        """Compare pictures that `judge` has passed with a template. Raises Unusable."""
        from foregate.gateways.face import judging, templates

        return closeness(templates.cosine(judging.vector_of(looks), template, self.engine_id, key), limit)

    @property
    def is_full(self) -> bool:
        """Say whether every place in the queue is taken."""
        return self._pool.is_full

    def close(self) -> None:
        """Drop what waits, let what runs end."""
        self._pool.close()


def _yield_to_others() -> None:
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
