"""The command about faces: `foregate face evaluate`, to measure on a bank's own people.

Exit codes: 0 measured; 2 the folder, the models or the extra are not there.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter
from rich.box import SIMPLE
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from foregate.doors.cli_models import Folder, SettingsFile, folder_of
from foregate.settings import load

if TYPE_CHECKING:
    from foregate.gateways.face.evaluation import AtLimit, AtTarget, Evaluation

Plot = Annotated[Path | None, Parameter(help="Draw the error rates into this file, as SVG.")]


def evaluate(
    folder: Path,
    *,
    plot: Plot = None,
    format: Literal["text", "json"] = "text",
    models: Folder = None,
    settings: SettingsFile = None,
) -> int:
    """Measure how well faces are told apart, and live ones from pictures of faces, on labelled pictures.

    A folder in FOLDER for each person; beside them `live`, `spoof` (with a folder for each kind) and `clips`, if
    there are any. Nothing of it is kept.

    Example: foregate face evaluate /srv/consented --plot rates.svg
    """
    from foregate.gateways.face.lock import ModelsMissing

    try:
        found = _measured(folder, folder_of(load(settings), models))
    except ModuleNotFoundError as missing:
        return _refuse(f"{missing.name} is not installed: install foregate with its extra `face`")
    except (ModelsMissing, ValueError) as wrong:
        return _refuse(str(wrong))
    if plot is not None:
        from foregate.gateways.face.plot import as_svg

        plot.write_text(as_svg(found), "utf-8")
    if format == "json":
        import msgspec

        print(msgspec.json.format(msgspec.json.encode(found)).decode())
    else:
        _print(found, Console())
    return 0


def _measured(folder: Path, models: Path) -> Evaluation:
    from foregate.gateways.face.collection import collect
    from foregate.gateways.face.engine import Engine
    from foregate.gateways.face.evaluation import evaluate as measure

    collection = collect(folder)
    engine = Engine(models)
    out = Console(stderr=True)
    try:
        with Progress(console=out, transient=True, disable=not out.is_terminal) as bars:
            task = bars.add_task("pictures", total=None)
            return measure(
                collection,
                engine.nets,
                engine.engine_id,
                lambda so_far, of: bars.update(task, completed=so_far, total=of),
            )
    finally:
        engine.close()


def _print(found: Evaluation, out: Console) -> None:
    for name in found.ignored:
        out.print(f"[yellow]{escape(name)}[/yellow] holds no pictures: not measured", soft_wrap=True)
    if found.pictures:
        flaws = ", ".join(f"{name} {times}" for name, times in found.flaws.items())
        out.print(
            f"{found.people} people, {found.pictures} pictures, {found.without_face} without a face,"
            f" {found.unreadable} unreadable; engine {found.engine_id}."
            + (f" Measured though refused at the door: {flaws}." if flaws else ""),
            soft_wrap=True,
        )
    measured = (
        ("One picture against one", found.single, found.single_targets),
        (_fused_title(found), found.fused, found.fused_targets),
    )
    for title, rows, targets in measured:
        if rows:
            out.print(_table(title, rows, found.default_limit))
            out.print("Matched: somebody else. Missed: the right person. At most: at 95 %, over trials.")
            _print_by_people(rows, found.default_limit, out)
            _print_targets(targets, out)
    if found.people and not found.fused:
        out.print("Too few people with five pictures to measure fused ones, as at the door.")
    if found.bpcer is not None or found.apcer:
        out.print(_live_table(found))
    for film in found.gestures:
        done = ", ".join(f"{name} {times}" for name, times in film.times.items() if times) or "none"
        out.print(f"{escape(film.film)}, {film.seconds:g} s: {done}", soft_wrap=True)


def _print_by_people(rows: tuple[AtLimit, ...], default: int, out: Console) -> None:
    """Say what the same people, counted once each, allow to say: trials of theirs are not independent."""
    for row in rows:
        if row.limit == default:
            out.print(
                f"At {default / 100:.2f}, counting each person once: FMR at most {_percent(row.fmr.at_most_people)}"
                f" ({row.fmr.people} pairs), FNMR at most {_percent(row.fnmr.at_most_people)}"
                f" ({row.fnmr.people} people, {row.fnmr.people_wrong} of them missed at least once).\n",
                soft_wrap=True,
            )


def _print_targets(targets: tuple[AtTarget, ...], out: Console) -> None:
    """Name the limit for each false match rate that a bank may ask for, or say that there are too few pairs."""
    for at in targets:
        if at.limit is None or at.fmr is None or at.fnmr is None:
            said = f"too few pairs of people to say: {at.pairs}, and {at.pairs_needed} are needed."
        else:
            said = (
                f"limit {at.limit / 1000:.3f}. FMR {_percent(at.fmr.share)}, at most {_percent(at.fmr.at_most)}"
                f" over trials and {_percent(at.fmr.at_most_people)} over pairs; FNMR {_percent(at.fnmr.share)},"
                f" at most {_percent(at.fnmr.at_most)}."
            )
        out.print(f"For FMR {at.target:.0e}: {said}", soft_wrap=True)
    out.print()


def _fused_title(found: Evaluation) -> str:
    return f"As at the door: three fused pictures against two, {found.fused_people} people"


def _table(title: str, rows: tuple[AtLimit, ...], default: int) -> Table:
    table = Table(title=title, title_justify="left", box=SIMPLE, pad_edge=False)
    for name in ("limit", "matched", "FMR", "at most", "missed", "FNMR", "at most", "TMR"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        cells = []
        for rate in (row.fmr, row.fnmr):
            cells += [f"{rate.errors}/{rate.trials}", _percent(rate.share), _percent(rate.at_most)]
        limit = f"{row.limit / 100:.2f}" + (" *" if row.limit == default else "")
        table.add_row(limit, *cells, f"{row.tmr * 100:.4g}%", style="bold" if row.limit == default else "")
    return table


def _live_table(found: Evaluation) -> Table:
    table = Table(title="Live or not, single pictures", title_justify="left", box=SIMPLE, pad_edge=False)
    for name in ("what", "rate", "at most", "wrong"):
        table.add_column(name, justify="left" if name == "what" else "right")
    rates = {f"APCER {escape(kind)}: accepted": rate for kind, rate in found.apcer.items()}
    if found.bpcer is not None:
        rates["BPCER live: refused"] = found.bpcer
    for name, rate in rates.items():
        table.add_row(name, _percent(rate.share), _percent(rate.at_most), f"{rate.errors} of {rate.trials}")
    return table


def _percent(share: float) -> str:
    return f"{share * 100:.3g}%"


def _refuse(why: str) -> int:
    print(f"foregate face evaluate: {why}", file=sys.stderr)
    return 2
