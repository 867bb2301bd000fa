"""Serve the doubles on this machine until told to stop."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from foregate.demo.providers.app import Doubles
from foregate.demo.providers.desk import keys_in
from foregate.doors.serve import run


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(prog="python -m foregate.demo.providers", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address")
    parser.add_argument("--port", type=int, default=8001)
    parser.add_argument("--folder", type=Path, required=True, help="where the keys are, or are made")
    parser.add_argument("--bank", default="", help="the only origin that people are sent back to")
    asked = parser.parse_args()
    if not asked.host.startswith("127."):
        raise SystemExit("The doubles serve this machine alone.")
    origin = f"http://{asked.host}:{asked.port}"
    doubles = Doubles(keys_in(asked.folder), origin, asked.bank)
    print(f"Doubles of WeChat and Alipay: {origin}", flush=True)
    asyncio.run(run(doubles.app, asked.host, asked.port))


if __name__ == "__main__":
    main()
