"""All models together: what one picture shows.

The dear nets see only what passed the cheap checks: a dark or crowded picture costs a detection.
"""

from __future__ import annotations

import hashlib
import math
import threading
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Final

import cv2
import msgspec
import numpy as np
import onnxruntime as ort

from foregate.gateways.face import mesh
from foregate.gateways.face.arrays import Floats, Picture
from foregate.gateways.face.detector import Detector, Face, shrunk
from foregate.gateways.face.liveness import Liveness
from foregate.gateways.face.quality import measure
from foregate.gateways.face.recogniser import Recogniser, cut_out
from foregate.rules import limits
from foregate.rules.faces import Measured, Pose, flaw_of, is_frontal

QUIET: Final = 3  # onnxruntime's log level: errors
DIGEST_BYTES: Final = 16
# From the nose's place between the eyes to degrees, fitted to the mesh on 2,677 frames: half are within 2.4 degrees.
YAW_DEGREES, YAW_LEVEL = 70.5, 0.7


class Seen(msgspec.Struct, frozen=True, array_like=True):
    """What one picture showed: `ports.face.Look.seen`, unpacked."""

    measured: Measured
    digest: bytes  # of the pixels
    pose: Pose | None = None
    middle: tuple[float, float] = (0.0, 0.0)  # of the face, in widths of the picture
    vector: bytes = b""  # 128 numbers of 16 bits
    live: float = 0.0

    @property
    def embedding(self) -> Floats:
        """The numbers of the face."""
        return np.frombuffer(self.vector, "<f2").astype(np.float32)


class Nets:
    """The models, loaded. Safe to use from several threads."""

    def __init__(self, paths: Mapping[str, Path]) -> None:
        cv2.setNumThreads(1)
        self._detector = Detector(_session(paths["detector"]))
        self._recogniser = Recogniser(_session(paths["recogniser"]))
        self._liveness = Liveness(_session(paths["liveness-close"]), _session(paths["liveness-wide"]))
        self._mesh_file = paths["mesh"]
        self._own = threading.local()

    def see(self, picture: Picture, *, whatever: bool = False) -> Seen:
        """See all there is in a picture; the dear parts only if it can be matched, or `whatever` it is like."""
        seen, picture, face = self._first_sight(picture)
        if face is None or (flaw_of(seen.measured) and not whatever):
            return seen
        live = self._liveness.of(picture, face)
        return msgspec.structs.replace(seen, vector=self._vector(picture, face), live=live)

    def follow(self, frames: Iterable[Picture]) -> list[Seen]:
        """See the poses of a row of pictures, and who it is in the first and the last frontal one of them."""
        row: list[Seen] = []
        last: tuple[int, Picture, Face] | None = None
        is_known = False
        for index, frame in enumerate(frames):
            seen, picture, face = self._first_sight(frame)
            if face is not None and is_frontal(seen.measured):
                if is_known:
                    last = index, picture, face
                else:
                    is_known, seen = True, msgspec.structs.replace(seen, vector=self._vector(picture, face))
            row.append(seen)
        if last is not None:
            index, picture, face = last
            row[index] = msgspec.structs.replace(row[index], vector=self._vector(picture, face))
        return row

    def _first_sight(self, picture: Picture) -> tuple[Seen, Picture, Face | None]:
        """Measure what needs no dear net. Returns the picture at the size that the face was found in."""
        picture = shrunk(picture)
        digest = hashlib.blake2b(picture.tobytes(), digest_size=DIGEST_BYTES).digest()
        faces = self._detector.find(picture)
        frame_light = float(picture.mean())
        if not faces:
            return Seen(Measured(faces=0, frame_light=frame_light), digest), picture, None
        face = faces[0]
        points = self._mesh.points(picture, face)
        height, width = picture.shape[:2]
        pose = Pose(mesh.yaw(points), mesh.pitch(points), mesh.mouth(points), face.box[2] / width)
        left, top, wide, high = face.box
        measured = Measured(
            faces=1 + sum(_counts(other, face) for other in faces[1:]),
            frame_light=frame_light,
            eyes_apart=face.eyes_apart,
            width=wide / width,
            centre_x=(left + wide / 2) / width,
            centre_y=(top + high / 2) / height,
            is_cut=min(left, top) < 0 or left + wide > width or top + high > height,
            roll=_roll(face),
            yaw=_yaw(face),
            pitch=pose.pitch,
            eyes_open=mesh.eyes_open(points),
            **asdict(measure(cut_out(picture, face.points))),
        )
        middle = (left + wide / 2) / width, (top + high / 2) / width
        return Seen(measured, digest, pose, middle), picture, face

    def _vector(self, picture: Picture, face: Face) -> bytes:
        return self._recogniser.embed(cut_out(picture, face.points)).astype("<f2").tobytes()

    @property
    def _mesh(self) -> mesh.Mesh:
        """This thread's own: OpenCV's nets hold state."""
        if not hasattr(self._own, "mesh"):
            self._own.mesh = mesh.Mesh(self._mesh_file)
        found: mesh.Mesh = self._own.mesh
        return found


def _session(file: Path) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = QUIET
    return ort.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])


def _counts(other: Face, first: Face) -> bool:
    """Whether another face is somebody here: sure enough, and not far in the background."""
    return other.sureness * 100 >= limits.FACE_SECOND and other.area * 100 >= limits.FACE_SECOND_AREA * first.area


def _roll(face: Face) -> float:
    across = face.points[1] - face.points[0]
    return math.degrees(math.atan2(across[1], across[0]))


def _yaw(face: Face) -> float:
    """Degrees to the person's own left, by how far the nose lies from the middle between the eyes."""
    across = face.points[1] - face.points[0]
    nose = face.points[2] - (face.points[0] + face.points[1]) / 2
    return YAW_DEGREES * math.atan(float(nose @ across) / max(float(across @ across), 1e-6)) + YAW_LEVEL
