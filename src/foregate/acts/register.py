"""Act `register`: a card holder becomes a customer of mobile banking, with a user name and a password.

The number bound to the card becomes the number registered for e-banking. It belongs to one customer only: whose
number serves a relative already brings the ID card to an outlet.
"""

from __future__ import annotations

from datetime import date

import msgspec

from foregate.acts import Done, record, tell
from foregate.acts.open_session import open_session, remember_device
from foregate.ports import CardHolder, Customer, Taken
from foregate.rules import documents, inputs, limits, passwords
from foregate.rules.words import Level
from foregate.situation import Refused, Situation, Subject, World

ACTS = ("register",)


class Input(inputs.Answer, frozen=True):
    """What a new customer chooses. Remembering is asked, never assumed: the phone may be a shop's tablet."""

    new_user_name: inputs.NewUserName
    new_password: inputs.NewPassword
    remember_device: inputs.YesNo = False


INPUT = Input


class Prepared(msgspec.Struct, frozen=True):
    """The choice, hashed, and the person as the core bank knows them."""

    user_name: str
    password_hash: str
    remember_device: bool
    holder: CardHolder


async def admit(at: Situation) -> Refused | None:
    """Who is a customer already signs in, or gets back in."""
    return Refused(cause="already-registered") if at.subject.known else None


async def prepare(given: Input, subject: Subject, world: World) -> Prepared | Refused:
    """Check the choice and hash the password."""
    holder = await world.core.holder(subject.card_number or "")
    if holder is None or holder.bound_phone is None:
        return Refused(cause="details-mismatch")
    today = documents.day_of(world.clock.now())
    if documents.is_closed("register", documents.standing_on(holder.document_expires_on, today).state):
        return Refused(cause="document-lapsed")
    if inputs.age_on(today, date.fromisoformat(holder.birth_date)) < limits.AGE_MIN:
        return Refused(cause="too-young")
    personal = passwords.personal_words(
        given.new_user_name, holder.name, holder.bound_phone, holder.card_number,
        holder.document_number, holder.birth_date,
    )  # fmt: skip
    try:
        password = passwords.new_password(given.new_password, personal)
    except inputs.BadInput as bad:
        raise inputs.InvalidFields({"new_password": bad.code}) from None
    return Prepared(given.new_user_name, await world.hasher.hash(password), given.remember_device, holder)


async def perform(prepared: Prepared, at: Situation) -> Done | Refused:
    """Claim the names, write the customer, let them in."""
    holder, keyring = prepared.holder, at.world.keyring
    customer = Customer(
        customer_id=at.subject.customer_id,
        core_ref=holder.core_ref,
        name=holder.name,
        phone=holder.bound_phone or "",
        user_name=prepared.user_name,
        password_hash=prepared.password_hash,
        created_at=at.now,
        last_sign_in_at=at.now,
    )
    logins = {
        "phone": keyring.digest("phone", customer.phone),
        "user_name": keyring.digest("user_name", prepared.user_name),
    }
    await at.tx.customers.insert(customer, logins)
    device = await remember_device(at, customer.customer_id) if prepared.remember_device else None
    session, token = await open_session(at, Level.FULL, device.id if device else None)
    await tell(at, "sms.registered", customer.phone)
    await record(at, "registered", session=session.session_id)
    return Done(session=session, session_token=token, device_token=device)


def refusal_of(taken: Taken) -> str:
    """Return the cause to tell when a name was somebody's already."""
    return "number-taken" if taken.args == ("phone",) else "user-name-taken"
