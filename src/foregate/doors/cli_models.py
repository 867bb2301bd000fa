"""The commands about models: `foregate models fetch` and `verify`.

Exit codes: 0 all are there and whole; 1 some are not; 2 the folder or the settings cannot be used.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

from foregate.settings import Settings, load

if TYPE_CHECKING:
    from foregate.gateways.face.fetch import Fetcher
    from foregate.gateways.face.lock import Model

Folder = Annotated[Path | None, Parameter(help="Where models lie; otherwise `face_models`, or the user's cache.")]
Sources = Annotated[
    tuple[str, ...],
    Parameter(name="--source", negative="", help="A folder or an https:// address to ask first; may be repeated."),
]
SettingsFile = Annotated[str | None, Parameter(name=["--settings", "-s"], help="TOML file; FOREGATE_* overrides it.")]


def fetch(
    *, folder: Folder = None, source: Sources = (), quiet: bool = False, settings: SettingsFile = None
) -> int:  # fmt: skip
    """Get the models that are not there yet, from the first source that has them; take only what the lock names.

    Example: foregate models fetch --source /mnt/models --source https://mirror.bank.internal/models
    """
    from foregate.gateways.face.fetch import Fetcher
    from foregate.gateways.face.lock import read_lock

    chosen = load(settings)
    target = folder_of(chosen, folder)
    out = Console(stderr=True)
    missed = 0
    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn()
    with Progress(*columns, console=out, transient=True, disable=quiet or not out.is_terminal) as bars:
        task = bars.add_task("models", total=None)
        fetcher = Fetcher(
            target,
            (*source, *chosen.face_models_sources),
            lambda so_far, of: bars.update(task, completed=so_far, total=of),
        )
        try:
            with fetcher.opened():
                for model in read_lock():
                    bars.update(task, description=model.name, completed=0, total=None)
                    missed += not _bring(fetcher, model, out, quiet)
        except OSError as wrong:
            print(f"foregate models: {wrong.filename or target} cannot be used: {wrong.strerror}", file=sys.stderr)
            return 2
    if not quiet:
        print(target)
    return 1 if missed else 0


def verify(*, folder: Folder = None, settings: SettingsFile = None) -> int:
    """Say of each model whether it is there, byte for byte as the lock says.

    Example: foregate models verify --folder /var/lib/foregate/models
    """
    from foregate.gateways.face.lock import faults, read_lock

    target = folder_of(load(settings), folder)
    out = Console()
    wrong = faults(target)
    for model in read_lock():
        verdict = f"[red]{escape(wrong[model.name])}[/red]" if model.name in wrong else "[green]whole[/green]"
        out.print(f"{model.name:15} {escape(model.title)}, {model.licence}: {verdict}", soft_wrap=True)
    return 1 if wrong else 0


def folder_of(settings: Settings, folder: Path | None = None) -> Path:
    """Return where models lie: as told, as set, or in the user's cache."""
    from foregate.gateways.face.lock import default_folder

    return folder or (Path(settings.face_models) if settings.face_models else default_folder())


def _bring(fetcher: Fetcher, model: Model, out: Console, quiet: bool) -> bool:
    from foregate.gateways.face.fetch import Unavailable

    try:
        where = fetcher.bring(model)
    except Unavailable as why:
        out.print(f"[red]{model.name}[/red]: {escape(str(why))}", soft_wrap=True)
        return False
    if not quiet:
        size = f"{model.kept_size / 1e6:.1f} MB"
        out.print(f"[green]{model.name}[/green] {escape(model.title)}, {size}: {escape(where)}", soft_wrap=True)
    return True
