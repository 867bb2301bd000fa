"""After a run in which tests in a browser failed: run their files once more, by themselves, and say so loudly.

    python -m tests.again       after pytest ended with 1; ends as the second run ends

A browser on a busy machine is late now and then, and a run of a quarter of an hour would be thrown away for it. What
fails twice fails. What passes the second time is told as unsteady, with its name: somebody has to look at it. Nothing
else is run twice: whatever needs no browser has no such excuse, nor have many failures at once (decision 0036).
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
JUST_FAILED = "foregate/just-failed"  # as pytest's cache names it; its own list remembers older runs too
FAILED = ROOT / ".pytest_cache" / "v" / JUST_FAILED
IN_BROWSER = "tests/browser/"
FAILURES_MAX = 3  # more are no accident


def to_run_again(failed: list[str]) -> list[str]:
    """Return the files to be run once more; none when something failed that is not given a second chance."""
    if not failed or len(failed) > FAILURES_MAX or not all(test.startswith(IN_BROWSER) for test in failed):
        return []
    return sorted({test.partition("::")[0] for test in failed})


def main() -> int:
    """Return the exit code of the whole."""
    failed = sorted(json.loads(FAILED.read_text("utf-8"))) if FAILED.exists() else []
    files = to_run_again(failed)
    if not files:
        return 1
    print("== again, alone:", *files, flush=True)
    code = subprocess.run(["pytest", "-m", "not alone", *files], cwd=ROOT, check=False).returncode
    if code == 0:
        print("== UNSTEADY: failed beside others and passed alone. Find out why:", *failed, sep="\n   ", flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
