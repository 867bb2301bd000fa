"""Members of staff from the command line: the first administrator, who makes the others at the console."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from foregate.rules.staff import Role
from foregate.settings import Settings

ACTOR = "command-line"


def add(
    user_name: str,
    *,
    name: str,
    role: Role = Role.ADMINISTRATOR,
    outlet: str | None = None,
    core_ref: str | None = None,
    settings: Annotated[str | None, Parameter(name=["--settings", "-s"], help="TOML; FOREGATE_* overrides it.")] = None,
) -> None:
    """Add a member of staff, and print the code with which they choose how to sign in at /console/enrol.

    For the first administrator; whoever can run this can read the key file, so it needs no second person. It is
    written into the record like everything else.

    Example: foregate staff add zhang.min --name 张敏 --role administrator --settings /etc/foregate.toml

    Parameters
    ----------
    user_name
        what they sign in by
    name
        what colleagues call them
    role
        teller, supervisor, auditor or administrator
    outlet
        the outlet of a teller or supervisor
    core_ref
        their own customer number: nobody acts on their own login
    """
    from foregate.settings import load

    chosen = load(settings)
    for needed in ("database", "keys_file"):
        if not getattr(chosen, needed):
            print(
                f"{needed} is not set: name it in the settings file, or as FOREGATE_{needed.upper()}", file=sys.stderr
            )
            sys.exit(2)
    sys.exit(asyncio.run(_add(chosen, user_name, name, role, outlet, core_ref)))


async def _add(
    settings: Settings, user_name: str, name: str, role: Role, outlet: str | None, core_ref: str | None
) -> int:
    from foregate.bootstrap import SystemClock, open_store
    from foregate.counter.administration import NewMember, hire
    from foregate.counter.guard import Objected
    from foregate.gateways.core_bank.accounts import EmbeddedAccounts
    from foregate.gateways.core_bank.embedded import EmbeddedCoreBank
    from foregate.gateways.document_registry.embedded import EmbeddedRegistry
    from foregate.gateways.hashing import Argon2Hasher
    from foregate.passkey_site import Site
    from foregate.rules.journeys import BUILT, JOURNEYS
    from foregate.rules.verdict import Rules
    from foregate.situation import World
    from foregate.store.keyring import load_keys

    keys, clock = load_keys(Path(settings.keys_file)), SystemClock()
    store = await open_store(settings, keys, clock)
    hasher = Argon2Hasher(keys)
    core, registry = EmbeddedCoreBank(store, keys, hasher), EmbeddedRegistry(store, keys, clock)
    world = World(
        store=store,
        clock=clock,
        keyring=keys,
        hasher=hasher,
        core=core,
        registry=registry,
        site=Site.of(settings),
        rules=Rules(JOURNEYS, BUILT),
        accounts=EmbeddedAccounts(store, clock),
    )
    new = NewMember(user_name=user_name, name=name, role=role, outlet_id=outlet, core_ref=core_ref)
    try:
        code = await hire(world, new, actor=ACTOR)
    except Objected as objected:
        print(_why(objected.objection, objected.fields), file=sys.stderr)
        return 2
    finally:
        hasher.close()
        await store.close()
    print(f"{user_name} is added as {role.value}. Their enrolment code, valid for one day and for one use:")
    print(f"\n    {code}\n")
    print(f"They open {settings.origin or 'the front door'}/console/enrol and choose how to sign in.")
    return 0


def _why(objection: str, fields: dict[str, str]) -> str:
    from foregate.doors.text import catalog

    wrong = [f"  {field}: {catalog.text('en', f'input.{code}')}" for field, code in fields.items()]
    said = (catalog.text("en", f"objection.{objection}.{part}") for part in ("title", "detail"))
    return "\n".join([". ".join(said), *wrong])
