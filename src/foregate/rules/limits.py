"""Every limit of Foregate, in one place, each with its unit, its reason and its source.

A limit is an int, so code uses it as one: `tries < limits.CODE_TRIES`. Each has a test at n and at n + 1.
"""

from __future__ import annotations

from typing import Final


class Limit(int):
    """A number that says what it counts, why it is this large, and who says so."""

    unit: str
    why: str
    source: str

    def __new__(cls, value: int, unit: str, why: str, source: str = "own") -> Limit:
        limit = super().__new__(cls, value)
        limit.unit, limit.why, limit.source = unit, why, source
        return limit


MINUTE, HOUR, DAY = 60, 3600, 86400

# fmt: off
# Codes by SMS.
CODE_DIGITS: Final = Limit(6, "digits", "a million to one per guess, and short enough to keep in the head while switching apps", "ASVS 5.0 6.5.4")
CODE_TRIES: Final = Limit(5, "tries", "in all, per journey: another code brings no new tries", "PSD2 RTS art. 4(3)(b); NIST SP 800-63B-4 3.1.3.2")
CODE_TTL_SECONDS: Final = Limit(5 * MINUTE, "seconds", "long enough for a slow network, short enough to be useless tomorrow", "ASVS 5.0 6.5.5")
CODE_STREAK: Final = Limit(5, "wrong codes in a row", "over all journeys of one number; from here on its codes are long ones, so nobody is locked out and nobody can guess", "NIST SP 800-63B-4 3.2.2, 3.1.3.2")
LONG_CODE_SYMBOLS: Final = Limit(13, "base32 symbols", "65 bits: above 64 no counter is needed", "NIST SP 800-63B-4 3.1.3.2")
RESEND_SECONDS: Final = Limit(60, "seconds", "an SMS takes seconds; one a minute is what people are used to")
SENDS_PER_JOURNEY: Final = Limit(4, "messages", "who has not got four will not get the fifth: other ways are offered")
SENDS_PER_HOUR: Final = Limit(5, "messages per number", "SMS pumping costs the bank, and a flood wakes the customer")
SENDS_PER_DAY: Final = Limit(10, "messages per number", "as above, over a day")
TEXT_DIGITS: Final = Limit(8, "digits", "tells the open journeys of one number apart; the number itself is the proof")
INBOUND_TTL_SECONDS: Final = Limit(10 * MINUTE, "seconds", "a text that nobody came for is dropped")

# Guessing at what people know.
ROW_FAILURES: Final = Limit(5, "failures in a row", "then the proof is blocked for a while, in the lane that failed", "PSD2 RTS art. 4(3)(b)")
BLOCK_SECONDS: Final = Limit(15 * MINUTE, "seconds", "the first block; each further one doubles")
BLOCK_SECONDS_MAX: Final = Limit(DAY, "seconds", "where doubling ends")
TOTAL_FAILURES: Final = Limit(100, "failures in all", "then the proof is off until it is bound again", "NIST SP 800-63B-4 3.2.2")
PERMISSION_FAILURES: Final = Limit(10, "failures in a row", "two blocks without one success: sign-in in that lane closes until it is reopened", "banks' practice: 3 to 15")
OFFER_REOPEN_FROM: Final = Limit(2, "failures in a row", "people who fail twice have usually forgotten, not mistyped")
DISUSE_DAYS: Final = Limit(540, "days", "a login nobody used for a year and a half is worth more to a thief than to its owner")

# Passwords and user names.
PASSWORD_MIN: Final = Limit(8, "characters", "it is never the only proof", "NIST SP 800-63B-4 3.1.1.2; ASVS 5.0 6.2.1")
PASSWORD_MAX: Final = Limit(128, "characters", "room for a sentence; more only feeds the hash", "ASVS 5.0 6.2.9")
USER_NAME_MIN: Final = Limit(4, "characters", "shorter ones are guessed and fought over")
USER_NAME_MAX: Final = Limit(32, "characters", "fits a narrow screen")
AGE_MIN: Final = Limit(16, "years", "younger customers open mobile banking with a parent at an outlet", "banks' practice")
HASH_MEMORY_KIB: Final = Limit(19456, "KiB", "argon2id, m", "OWASP; ASVS 5.0 appendix C")
HASH_PASSES: Final = Limit(2, "passes", "argon2id, t", "OWASP; ASVS 5.0 appendix C")
HASH_LANES: Final = Limit(1, "lanes", "argon2id, p", "OWASP; ASVS 5.0 appendix C")
HASH_QUEUE: Final = Limit(64, "waiting hashes per worker", "at 10 to 20 ms each the last waits about a second; one more is told that we are busy")

# Journeys and sessions.
JOURNEY_SECONDS: Final = Limit(15 * MINUTE, "seconds", "a slow phone and a lost SMS fit in; then it names its successor")
REPLAY_SECONDS: Final = Limit(10 * MINUTE, "seconds", "a repeated answer gets the first reply for this long")
IDLE_SECONDS: Final = Limit(5 * MINUTE, "seconds", "a full session left alone ends", "PSD2 RTS art. 4(3)(d)")
IDLE_BASIC_SECONDS: Final = Limit(5 * MINUTE, "seconds", "a basic session left alone ends too", "PSD2 RTS art. 4(3)(d)")
IDLE_WARNING_SECONDS: Final = Limit(60, "seconds", "told so long before the end; one tap to stay", "WCAG 2.2 2.2.1")
SESSION_SECONDS: Final = Limit(12 * HOUR, "seconds", "no session outlives a working day", "NIST SP 800-63B-4 2.2.3")
SESSION_TOUCH_SECONDS: Final = Limit(15, "seconds", "use is written down at most this often; idle is exact to within it")
SESSIONS_PER_CUSTOMER: Final = Limit(10, "sessions", "phone, tablet, computer, and some forgotten; the oldest ends")
DEVICES_PER_CUSTOMER: Final = Limit(10, "devices", "as above; the one unused longest is forgotten")
DEVICE_DAYS: Final = Limit(400, "days", "as long as browsers keep a cookie", "RFC 6265bis 5.5")
DEVICE_TOUCH_SECONDS: Final = Limit(HOUR, "seconds", "when a device was last seen is told in hours, so it is written at most once an hour")
VISITOR_DAYS: Final = Limit(30, "days", "the cookie that ties a journey to the browser that began it")
COUNTER_DAYS: Final = Limit(800, "days", "counters nobody touched this long belong to nobody")

# The edge.
BODY_BYTES: Final = Limit(16 * 1024, "bytes", "the longest honest answer is below 2 KB")
FIELD_CHARS: Final = Limit(512, "characters", "the longest honest field is a password of 128 characters, pasted with blanks")
KEY_CHARS: Final = Limit(64, "characters", "an idempotency key is a UUID or the like", "draft-ietf-httpapi-idempotency-key-header")
STARTS_PER_MINUTE: Final = Limit(60, "journeys per source and minute", "a shop's whole Wi-Fi fits in; a script does not")
ANSWERS_PER_MINUTE: Final = Limit(240, "answers per source and minute", "four answers for each journey that may be begun")
DATABASE_WAIT_SECONDS: Final = Limit(2, "seconds", "a request that has no connection by then is told that we are busy", "REL-06")

# Behind the door.
OUTBOX_TRIES: Final = Limit(5, "tries", "with back-off within the code's life; then the message is given up and counted")
OUTBOX_BATCH: Final = Limit(50, "messages", "one claim of the dispatcher")
PURGE_BATCH: Final = Limit(500, "rows", "one bite of the janitor: short locks, and it can stop between bites")
SEAL_SECONDS: Final = Limit(60, "seconds", "the audit heads are sealed at least this often", "AUD-03")
AUDIT_DETAILS_BYTES: Final = Limit(2048, "bytes", "an event says what happened, it is no archive")
IMPORT_LINE_CHARS: Final = Limit(2000, "characters", "a line of a customer file")
# fmt: on


def every_limit() -> dict[str, Limit]:
    """Return all limits by name, for the documentation and the tests."""
    return {name: value for name, value in globals().items() if isinstance(value, Limit)}
