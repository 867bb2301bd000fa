"""Names for the arrays that go around here."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]  # height x width x blue, green, red
Floats = NDArray[np.float32]
