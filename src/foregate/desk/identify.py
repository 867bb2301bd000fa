"""From what a visitor says they are to a `Subject`: a customer, or a decoy that costs and answers the same.

Theory of operation
  Every claim is one normal form, hence one key: the send limits of a visitor are counted by what they typed, so
  they behave alike for everybody and for nobody. A customer's id is derived from the core bank's number with a
  key, so a card leads to an id whether or not its holder is registered, by the same statements.

  What is wrong with a claim (the number is not the one bound to that card, the name is not the holder's, nobody
  of that number is registered) is kept as the subject's `flaw`, and told after possession is shown.
"""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from foregate.ids import customer_id_of as customer_id_of
from foregate.ids import derived_id as _id
from foregate.ports import CardHolder, Customer, Keyring, UnitOfWork
from foregate.proofs import passkey
from foregate.rules import inputs, masks
from foregate.rules.social_inputs import Returned
from foregate.rules.words import Who
from foregate.situation import Subject, World


class ByPhone(inputs.Answer, frozen=True):
    """The number registered for e-banking."""

    phone: inputs.Phone


class ByCard(inputs.Answer, frozen=True):
    """The number on the card."""

    card_number: inputs.Card


class ByUserName(inputs.Answer, frozen=True):
    """The user name chosen at registration."""

    user_name: inputs.UserName


class ByCardAndPhone(inputs.Answer, frozen=True):
    """The card, and the number that was bound to it when it was issued."""

    card_number: inputs.Card
    phone: inputs.Phone


class ByCardNameDocument(inputs.Answer, frozen=True):
    """The card, and its holder as on the ID document."""

    card_number: inputs.Card
    name: inputs.Name
    document_type: inputs.DocumentKind
    document_number: inputs.DocumentNumber


class ByLink(inputs.Answer, frozen=True):
    """What the link in a notice ends in."""

    token: inputs.Link


class ByBooking(inputs.Answer, frozen=True):
    """Nobody in particular: a number of one's own, what to be called by, and the place that is wanted."""

    phone: inputs.Phone
    surname: inputs.Surname
    outlet: inputs.OutletId
    service: inputs.ServiceCode
    starts_at: inputs.Moment
    people: inputs.People = "1"
    case_number: inputs.CaseNumber = ""


class ByPasskey(inputs.Answer, frozen=True):
    """Nothing typed: what a passkey signed says whose it is, and shows it."""

    credential: inputs.Credential


class ByWeChat(Returned, frozen=True):
    """An account of WeChat."""


class ByAlipay(Returned, frozen=True):
    """An account of Alipay."""


class PickAnswer(inputs.Answer, frozen=True):
    """Which of the customers who share a number, by the value offered."""

    customer: inputs.Choice


CLAIMS: dict[Who, type[inputs.Answer]] = {
    Who.PHONE: ByPhone,
    Who.CARD: ByCard,
    Who.USER_NAME: ByUserName,
    Who.CARD_AND_PHONE: ByCardAndPhone,
    Who.CARD_NAME_DOCUMENT: ByCardNameDocument,
    Who.PASSKEY: ByPasskey,
    Who.LINK: ByLink,
    Who.ANYBODY: ByBooking,
    Who.WECHAT: ByWeChat,
    Who.ALIPAY: ByAlipay,
}

Claim = ByPhone | ByCard | ByUserName | ByCardAndPhone | ByCardNameDocument | ByPasskey | ByLink | ByBooking


def claim_key(claim: Claim) -> str:
    """Return what the visitor typed, as one key."""
    match claim:
        case ByPhone(phone=phone) | ByCardAndPhone(phone=phone) | ByBooking(phone=phone):
            return phone
        case ByUserName(user_name=name):
            return f"user_name:{name}"
        case ByCard(card_number=card) | ByCardNameDocument(card_number=card):
            return f"card:{card}"
        case ByLink(token=token):
            return f"link:{token}"
        case ByPasskey(credential=credential):
            return f"passkey:{credential}"


def digest_of(claim: Claim, keyring: Keyring) -> bytes:
    """Return what finds the journey of a first tap again."""
    return keyring.digest("journey-claim", msgspec.json.encode(claim).decode())


def digest_of_session(session_id: str, keyring: Keyring) -> bytes:
    """The same for a journey that a session began."""
    return keyring.digest("journey-claim", f"session:{session_id}")


async def ask_core(claim: Claim | Returned, world: World) -> CardHolder | None:
    """Ask the core bank about the claimed card, outside any transaction. Claims without a card ask nothing."""
    if isinstance(claim, ByPasskey):
        await passkey.ready()
    if isinstance(claim, ByPhone | ByUserName | ByPasskey | ByLink | ByBooking | Returned):
        return None
    return await world.core.holder(claim.card_number)


async def subject_of(claim: Claim, holder: CardHolder | None, tx: UnitOfWork, keyring: Keyring) -> Subject:
    """Return whom the claim is about."""
    match claim:
        case ByPhone():
            return await _by_phone(claim, tx, keyring)
        case ByUserName():
            customer = await tx.customers.by_login("user_name", keyring.digest("user_name", claim.user_name))
            return _subject(claim, customer, customer.phone if customer else None, keyring)
        case ByCard():
            return await _by_card(claim, holder, tx, keyring)
        case ByCardAndPhone():
            return await _by_card_and_phone(claim, holder, tx, keyring)
        case ByCardNameDocument():
            return await _by_card_name_document(claim, holder, tx, keyring)
        case ByBooking():
            return _anybody(claim, keyring)
        case ByLink():
            return await _by_link(claim, tx, keyring)
        case ByPasskey():
            raise LookupError("whose a passkey is only its signature says")


async def _by_phone(claim: ByPhone, tx: UnitOfWork, keyring: Keyring) -> Subject:
    customer = await tx.customers.by_login("phone", keyring.digest("phone", claim.phone))
    subject = _subject(claim, customer, claim.phone, keyring)
    return replace(subject, flaw=None if customer else "not-registered", masked_phone=masks.mask_phone(claim.phone))


async def _by_card(claim: ByCard, holder: CardHolder | None, tx: UnitOfWork, keyring: Keyring) -> Subject:
    customer = await tx.customers.find(_holder_id(claim, holder, keyring))
    if customer is not None:
        subject = _subject(claim, customer, customer.phone, keyring)
    else:
        # A card holder who never registered may learn so by the number bound to the card.
        subject = _stranger(claim, holder, holder.bound_phone if holder else None, keyring)
        subject = replace(subject, flaw="not-registered")
    return replace(subject, card_number=holder.card_number if holder else None)


async def _by_card_and_phone(
    claim: ByCardAndPhone, holder: CardHolder | None, tx: UnitOfWork, keyring: Keyring
) -> Subject:
    customer = await tx.customers.find(_holder_id(claim, holder, keyring))
    is_bound = holder is not None and holder.bound_phone == claim.phone
    known = customer if is_bound else None
    flaw = None if known else ("not-registered" if is_bound else "details-mismatch")
    subject = _subject(claim, known, claim.phone, keyring)
    if known is None:
        subject = replace(subject, customer_id=_id(keyring, "decoy", claim.card_number + claim.phone))
    return replace(
        subject,
        flaw=flaw,
        card_number=holder.card_number if holder and is_bound else None,
        masked_phone=masks.mask_phone(claim.phone),
    )


async def _by_card_name_document(
    claim: ByCardNameDocument, holder: CardHolder | None, tx: UnitOfWork, keyring: Keyring
) -> Subject:
    customer = await tx.customers.find(_holder_id(claim, holder, keyring))
    subject = _stranger(claim, holder, holder.bound_phone if holder else None, keyring)
    is_theirs = holder is not None and _is_holder(claim, holder)
    return replace(
        subject,
        known=customer is not None,
        flaw=None if is_theirs else "details-mismatch",
        card_number=holder.card_number if holder else None,
    )


def _anybody(claim: ByBooking, keyring: Keyring) -> Subject:
    # Whether the number is a customer's is not even asked: the subject is the number.
    subject = _subject(claim, None, claim.phone, keyring)
    return replace(subject, masked_phone=masks.mask_phone(claim.phone))


async def _by_link(claim: ByLink, tx: UnitOfWork, keyring: Keyring) -> Subject:
    customer_id = await tx.stop_links.find(keyring.digest("stop-link", claim.token))
    return _subject(claim, await tx.customers.find(customer_id) if customer_id else None, None, keyring)


def _is_holder(claim: ByCardNameDocument, holder: CardHolder) -> bool:
    return (
        inputs.normal_name(holder.name) == claim.name
        and holder.document_type == claim.document_type
        and holder.document_number == claim.document_number
    )


def _holder_id(claim: ByCard | ByCardAndPhone | ByCardNameDocument, holder: CardHolder | None, keyring: Keyring) -> str:
    return customer_id_of(keyring, holder.core_ref if holder else f"card:{claim.card_number}")


def _subject(claim: Claim, customer: Customer | None, phone: str | None, keyring: Keyring) -> Subject:
    if customer is None:
        return Subject(
            customer_id=_id(keyring, "decoy", claim_key(claim)),
            known=False,
            phone=phone,
            phone_key=phone or f"decoy:{claim_key(claim)}",
            claim_key=claim_key(claim),
        )
    return Subject(
        customer_id=customer.customer_id,
        known=True,
        phone=phone,
        phone_key=phone or "",
        claim_key=claim_key(claim),
        core_ref=customer.core_ref,
    )


def _stranger(
    claim: ByCard | ByCardNameDocument, holder: CardHolder | None, phone: str | None, keyring: Keyring
) -> Subject:
    return Subject(
        customer_id=_holder_id(claim, holder, keyring),
        known=False,
        phone=phone,
        phone_key=phone or f"decoy:{claim_key(claim)}",
        claim_key=claim_key(claim),
        core_ref=holder.core_ref if holder else None,
    )


def of_customer(customer: Customer) -> Subject:
    """Return the subject of a session, or of a pick."""
    return Subject(
        customer_id=customer.customer_id,
        known=True,
        phone=customer.phone,
        phone_key=customer.phone,
        claim_key=customer.phone,
        core_ref=customer.core_ref,
    )
