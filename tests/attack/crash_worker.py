"""A bank that freezes and reopens one customer as fast as it can, until it is killed. Started by `test_record.py`.

Prints a line for each act that was acknowledged: what the record must contain whatever happens next.
"""

import asyncio
import sys
from pathlib import Path

from foregate.store.keyring import load_keys
from tests.bank import LI, open_bank


async def main(database: str, keys_file: str) -> None:
    """Freeze, reopen, freeze, ... each from a browser of its own."""
    bank = await open_bank(database, keys=load_keys(Path(keys_file)))
    print("ready", flush=True)
    while True:
        bank.clock.turn(3600 * 25)
        visitor = bank.visitor()
        await visitor.start("freeze", "phone", phone=LI.phone)
        done = await visitor.answer(code=await bank.code(LI.phone))
        assert "done" == done.journey["status"], done.body
        print("closed", flush=True)
        bank.clock.turn(3600)
        await visitor.start("reopen", "card_and_phone", card_number=LI.card, phone=LI.bound)
        await visitor.answer(code=await bank.code(LI.bound))
        done = await visitor.answer(card_pin=LI.pin)
        assert "done" == done.journey["status"], done.body
        print("reopened", flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
