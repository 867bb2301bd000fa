"""Write the reference pages that are drawn from the tables, or check that they are as drawn (`script/generate`)."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from foregate.doors.api import openapi
from foregate.doors.cli_rules import explore, worlds
from foregate.rules import drawing

REFERENCE = Path("docs", "reference")


def pages() -> dict[Path, str]:
    """Return every generated file and what it should hold."""
    drawn = {
        "journeys.md": drawing.journeys_as_markdown(),
        "policy.md": drawing.policy_as_markdown(),
        "causes.md": drawing.causes_as_markdown(),
        "limits.md": drawing.limits_as_markdown(),
        "check.md": _check(),
    }
    drawn["openapi.json"] = json.dumps(openapi.document(), ensure_ascii=False, indent=2) + "\n"
    return {REFERENCE / name: text for name, text in drawn.items()}


def _check() -> str:
    explored = {
        name[:1].upper() + name[1:]: [(p.name, p.meaning, verdict) for _, p, verdict, _ in explore(name, table, built)]
        for name, table, built in worlds()
    }
    return drawing.check_as_markdown(explored)


def main(arguments: list[str]) -> int:
    """Write what differs, or with `--check` name it. Returns the exit code."""
    if arguments not in ([], ["--check"]):
        print("usage: script/generate [--check]", file=sys.stderr)
        return 2
    drawn = pages()
    stale = [path for path, text in drawn.items() if _read(path) != text]
    for path in stale:
        if arguments:
            print(f"{path} is not as drawn from the tables; run script/generate and commit it", file=sys.stderr)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(drawn[path], encoding="utf-8")
            print(f"wrote {path}")
    return 1 if arguments and stale else 0


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
