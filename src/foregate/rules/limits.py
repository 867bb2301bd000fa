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
RANGE_DIGITS: Final = Limit(4, "last digits left off", "what is left names 10,000 numbers in a row: who makes a bank send for money owns such a range", "ITU-T E.164; operators' number ranges")
RANGE_UNANSWERED: Final = Limit(100, "codes per hour and range", "asked for on unknown devices and not answered: of ten thousand people so many do not give up within the hour; then they text us", "GSMA, Artificially Inflated Traffic; own")
MESSAGES_PER_DAY: Final = Limit(100_000, "messages", "sent by the house within a day, unless the bank sets its own: a bill that somebody has looked at", "own")
BUDGET_TOLD_PERCENT: Final = (50, 80, 100)  # of it: an alarm at each
BUDGET_FOR_STRANGERS_PERCENT: Final = Limit(80, "percent", "of the day's messages; what is left is for those who hold a device or were let in, and for notices", "OWASP, Forgot Password; ASVS 5.0 2.4.1")
BUDGET_LOOK_SECONDS: Final = Limit(20, "seconds", "how often what was sent is written down and added up, so that the alarm comes within the minute")
TEXT_DIGITS: Final = Limit(8, "digits", "tells the open journeys of one number apart; the number itself is the proof")
INBOUND_TTL_SECONDS: Final = Limit(10 * MINUTE, "seconds", "a text that nobody came for is dropped")

# Messages by SMPP.
SMPP_RESPONSE_SECONDS: Final = Limit(5, "seconds", "for the answer to a PDU, as for the HTTPS gateway's; the outbox waits ten for a message", "SMPP 3.4 7.2, response_timer")
SMPP_ENQUIRE_SECONDS: Final = Limit(20, "seconds", "of silence before the link is tried: some centres hang up after 30", "SMPP 3.4 7.2, enquire_link_timer; operators' manuals: 20 to 60")
SMPP_WINDOW: Final = Limit(10, "PDUs without an answer", "side by side on one link: 100 messages a second at 100 ms, which is more than one bind is usually sold with", "operators' manuals: 10 to 20")
SMPP_RECONNECT_SECONDS: Final = Limit(1, "seconds", "before a lost link is built anew; each failure in a row doubles it, and chance takes up to half off")
SMPP_RECONNECT_SECONDS_MAX: Final = Limit(15, "seconds", "where doubling ends: below the 30 seconds that the outbox goes on trying, so that a code still gets out")
SMPP_UNBIND_SECONDS: Final = Limit(2, "seconds", "for the answer to unbind; a server that stops has ten for everything")
SMPP_PDU_BYTES: Final = Limit(8 * 1024, "bytes of one PDU", "a text of 254 octets with all its fields has 400; more is nothing that we asked for", "SMPP 3.4 4.6.1")
SMPP_INBOUND: Final = Limit(10, "texts at once", "that wait for the database; one more is sent back, and the centre brings it later")
SMPP_REMEMBERED: Final = Limit(10_000, "messages", "whose parts were taken: tried again, they are not sent again; about 2 MB, an hour of a busy process")
SMS_PARTS: Final = Limit(6, "parts of one message", "402 Chinese characters; each part is paid for, and the longest of ours has three")

# Guessing at what people know.
ROW_FAILURES: Final = Limit(5, "failures in a row", "then the proof is blocked for a while, in the lane that failed", "PSD2 RTS art. 4(3)(b)")
BLOCK_SECONDS: Final = Limit(15 * MINUTE, "seconds", "the first block; each further one doubles")
BLOCK_SECONDS_MAX: Final = Limit(DAY, "seconds", "where doubling ends")
TOTAL_FAILURES: Final = Limit(100, "failures in all", "then the proof is off until it is bound again", "NIST SP 800-63B-4 3.2.2")
FACE_FAILURES: Final = Limit(10, "failures in all", "then the face is off until it is renewed", "NIST SP 800-63B-4 3.2.3.3")
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
IDLE_WARNING_CARE_SECONDS: Final = Limit(2 * MINUTE, "seconds", "in care mode: who reads slowly has time to read that, too; the end itself is the same for all", "WCAG 2.2 2.2.1")
CARE_AGE: Final = Limit(60, "years", "from here on care mode is offered once signed in, once; never switched on unasked", "Law on the Protection of the Rights and Interests of the Elderly, art. 2")
SESSION_SECONDS: Final = Limit(12 * HOUR, "seconds", "no session outlives a working day", "NIST SP 800-63B-4 2.2.3")
SESSION_TOUCH_SECONDS: Final = Limit(15, "seconds", "use is written down at most this often; idle is exact to within it")
SESSIONS_KEPT: Final = Limit(10_000, "sessions kept in a worker's memory", "about 8 MB; more are read from the database", "measured")
SESSIONS_PER_CUSTOMER: Final = Limit(10, "sessions", "phone, tablet, computer, and some forgotten; the oldest ends")
DEVICES_PER_CUSTOMER: Final = Limit(10, "devices", "as above; the one unused longest is forgotten")
PASSKEYS_PER_CUSTOMER: Final = Limit(10, "passkeys", "phone, tablet, computer and a key in a drawer, each twice; an eleventh is refused, none is dropped")
PASSKEY_NAME_CHARS: Final = Limit(40, "characters", "what somebody calls a phone or a key, on one line of a narrow screen")
CREDENTIAL_CHARS: Final = Limit(6000, "characters", "an RSA key with its attestation has about 2,000 bytes; more is no honest authenticator", "WebAuthn level 3")
DEVICE_DAYS: Final = Limit(400, "days", "as long as browsers keep a cookie", "RFC 6265bis 5.5")
DEVICE_TOUCH_SECONDS: Final = Limit(HOUR, "seconds", "when a device was last seen is told in hours, so it is written at most once an hour")
VISITOR_DAYS: Final = Limit(30, "days", "the cookie that ties a journey to the browser that began it")
COUNTER_DAYS: Final = Limit(800, "days", "counters nobody touched this long belong to nobody")

# Outlets.
HOURS_CHARS: Final = Limit(500, "characters", "the longest honest opening hours; a longer expression only costs time", "OSM keeps 255")
HOURS_AHEAD_DAYS: Final = Limit(15, "days", "the longest holiday is nine days; further ahead nobody plans a walk to the bank")
OUTLET_QUERY_CHARS: Final = Limit(100, "characters", "the longest address that anybody types; more is no question")
OUTLET_WORDS: Final = Limit(4, "words", "each one costs a look at every outlet; name, street and city fit in")
OUTLETS_PER_PAGE: Final = Limit(20, "outlets", "what somebody looks through on a phone before asking differently")
OUTLETS_PER_PAGE_MAX: Final = Limit(50, "outlets", "one answer of the API")
OUTLETS_EXAMINED: Final = Limit(400, "outlets", "looked at for the open ones, nearest first: at night there may be none for a long way")
OUTLET_LOOKS_PER_MINUTE: Final = Limit(60, "searches per source and minute", "a person types for seconds; outlets are public, this only keeps the database free")
OUTLET_FILE_ROWS: Final = Limit(1_000_000, "rows of a file", "no bank has as many; the ids of a file are remembered to find doubles")
OUTLET_ROW_CHARS: Final = Limit(8000, "characters", "a row of an outlet file, or one GeoJSON feature")
OUTLET_TEXT_CHARS: Final = Limit(300, "characters", "any text of an outlet; the longest address fits in")
OUTLET_ID_CHARS: Final = Limit(64, "characters", "it stands in addresses and is typed by staff")
OUTLET_PREAMBLE_CHARS: Final = Limit(1_000_000, "characters", "of a GeoJSON file before its features")
OUTLET_BATCH: Final = Limit(500, "outlets", "written in one transaction: short enough that sign-ins do not wait")

# Staff.
STAFF_TRIES: Final = Limit(10, "tries in a row", "then password sign-in of that user name rests; a passkey signs in all the same", "PCI DSS 8.3.4")
STAFF_LOCK_SECONDS: Final = Limit(30 * MINUTE, "seconds", "how long it rests", "PCI DSS 8.3.4")
STAFF_IDLE_SECONDS: Final = Limit(15 * MINUTE, "seconds", "a console left alone is locked", "PCI DSS 8.2.8")
STAFF_SESSION_SECONDS: Final = Limit(12 * HOUR, "seconds", "no session outlives a shift", "NIST SP 800-63B-4 2.2.3")
STAFF_FRESH_SECONDS: Final = Limit(5 * MINUTE, "seconds", "who consents has signed in so recently: an unlocked console is no consent", "ASVS 5.0 7.5.3")
SESSIONS_PER_STAFF: Final = Limit(3, "sessions", "a window at the counter and a desk behind it; the oldest ends")
STAFF_PASSWORD_MIN: Final = Limit(12, "characters", "it opens more than one person's login", "PCI DSS 8.3.6")
ENROLMENT_SECONDS: Final = Limit(DAY, "seconds", "a code handed over in the morning works until the next one")
CHALLENGE_SECONDS: Final = Limit(2 * MINUTE, "seconds", "what an authenticator signs is fresh", "PKY-01")
TOTP_STEP_SECONDS: Final = Limit(30, "seconds", "what every authenticator app uses", "RFC 6238 5.2")
TOTP_WINDOW_STEPS: Final = Limit(1, "steps to either side", "clocks differ, people type slowly", "RFC 6238 5.2")
STREAMS_PER_PROCESS: Final = Limit(200, "open streams", "each costs a socket; a browser without one refreshes by itself")
STREAMS_PER_STAFF: Final = Limit(6, "open streams", "one per tab, a few tabs each")
STREAM_SECONDS: Final = Limit(5 * MINUTE, "seconds", "then the browser comes again, and whether the session lives is asked anew")

# Identity documents. Their days are the bank's own.
DOCUMENT_AHEAD_DAYS: Final = Limit(30, "days", "told so long before the end: time for an appointment where cards are given out, and for the post", "REC-12; banks' practice")
DOCUMENT_GRACE_DAYS: Final = Limit(90, "days", "after its end an expired document closes little: the new one may be on its way", "banks' practice")
DOCUMENT_LEFT_DAYS: Final = Limit(7, "days", "a new document lasts at least so long, or it would have to be renewed again at once")
DOCUMENT_YEARS: Final = Limit(20, "years", "no document lasts longer, but those without an end", "Identity Card Law art. 5")
DOCUMENT_TOLD_DAYS: Final = Limit(400, "days", "what was told about a document is remembered; after that its end is too long ago to be told of again")
NOTICE_FROM_HOUR: Final = Limit(9, "o'clock", "who is told of a document in a month need not be woken")
NOTICE_UNTIL_HOUR: Final = Limit(20, "o'clock", "and not disturbed in the evening; the next day is soon enough")
DURABILITY_SECONDS: Final = Limit(1 * HOUR, "seconds", "how often it is looked whether the database still keeps what it acknowledges")
NOTICE_SECONDS: Final = Limit(10 * MINUTE, "seconds", "how often it is looked whether a new day has begun")
NOTICE_BATCH: Final = Limit(100, "people", "one bite of a day's notices")

# Faces. Angles in degrees, shares in percent; what "measured" means is said in docs/decisions/0017.
FACE_FRAMES: Final = Limit(24, "pictures in one set", "five to match and a handful for each gesture; more only feeds the engine", "measured")
FACE_FRAME_BYTES: Final = Limit(256 * 1024, "bytes of one picture", "a 640 x 480 JPEG has 20 to 60 KB, a phone's own camera page 200")
FACE_SET_BYTES: Final = Limit(1536 * 1024, "bytes of one set", "24 pictures of 64 KB; read into memory at once")
FACE_FRAME_PIXELS: Final = Limit(2_100_000, "pixels of one picture", "1920 x 1080 fits in; known from the header, before anything is decoded", "BIO-09")
FACE_FRAME_SIDE: Final = Limit(160, "pixels", "the shorter side at least: no face that fits into less can be matched", "measured")
FACE_JPEG_SCANS: Final = Limit(20, "scans of one JPEG", "cameras write one, progressive files about ten; each costs a pass over all pixels", "BIO-09")
FACE_QUEUE: Final = Limit(24, "waiting sets per worker", "at 0.1 to 0.3 s each the last waits a few seconds; one more is told that we are busy", "measured")
FACE_DETECTED: Final = Limit(60, "hundredths", "a face that the detector is less sure of is none", "measured")
FACE_SECOND: Final = Limit(70, "hundredths", "how sure the detector is of a second face before it counts", "measured")
FACE_SECOND_AREA: Final = Limit(15, "percent of the first face", "smaller ones stand far behind, or hang on the wall", "measured")
FACE_EYES_APART: Final = Limit(40, "pixels between the eyes", "nearer to each other the match gets worse", "measured")
FACE_WIDTH: Final = Limit(37, "percent of the picture's width", "wider leaves too little around the face to tell a screen from a person", "measured")
FACE_OFF_CENTRE: Final = Limit(25, "percent of the picture", "further from the middle half of the surroundings is cut off")
FACE_ROLL: Final = Limit(20, "degrees", "a head more tilted matches worse", "measured")
FACE_YAW: Final = Limit(15, "degrees", "a head more turned matches worse; the same bound says what is frontal", "measured")
FACE_PITCH: Final = Limit(30, "degrees", "by the mesh, whose level differs between faces: from 18 down to 25 up", "measured")
FACE_DARK: Final = Limit(60, "mean of 255", "below, the match and the check for a live face get worse", "measured")
FACE_BRIGHT: Final = Limit(200, "mean of 255", "above, features are washed out", "measured")
FACE_BURNT: Final = Limit(15, "percent of the face", "pixels above 250", "measured")
FACE_SHADOW: Final = Limit(40, "percent of the face", "pixels below 25", "measured")
FACE_SIDES: Final = Limit(250, "percent", "the lighter half of the face against the darker", "measured")
FACE_SHARP: Final = Limit(40, "variance of the Laplacian", "below, out of focus", "measured")
FACE_DETAIL: Final = Limit(150, "hundred-thousandths of the power", "fine detail in the poorest direction; below, it moved", "measured")
FACE_EYES_OPEN: Final = Limit(10, "percent", "height of the open eye against its width; below, it is closed", "measured")
FACE_MATCH: Final = Limit(50, "hundredths of cosine", "fused pictures; false matches below 4 in 100,000, true ones 100 % of 1,620", "measured")
FACE_MATCH_STEP_UP: Final = Limit(55, "hundredths of cosine", "where what it buys lasts: a new password, a login opened again", "measured")
FACE_SAME: Final = Limit(45, "hundredths of cosine", "frontal pictures of one session, each with each; strangers rarely reach 43", "measured")
FACE_MATCH_FRAMES: Final = Limit(3, "pictures", "fused into one; less is not what the limits were measured on", "measured")
FACE_STILL_FRAMES: Final = Limit(5, "pictures", "looked at for a live face", "measured")
FACE_LIVE: Final = Limit(50, "hundredths", "the median picture must look this much like a live face", "measured")
FACE_HARDLY_LIVE: Final = Limit(30, "hundredths", "one picture in five may look less live than this, not two", "measured")
FACE_MOVED: Final = Limit(50, "percent of the face's width", "further from one picture to the next it was put there, not moved", "measured")
GESTURE_TURN: Final = Limit(10, "degrees", "from looking straight; talking and nodding stay below 5", "measured")
GESTURE_NOD: Final = Limit(10, "degrees", "up or down, from looking straight", "measured")
GESTURE_REST: Final = Limit(5, "degrees", "nearer than this is straight again", "measured")
GESTURE_MOUTH: Final = Limit(30, "percent", "between the lips, of the mouth's width; a smile stays below 25", "measured")
GESTURE_MOUTH_SHUT: Final = Limit(15, "percent", "below, it is shut again", "measured")
GESTURE_CLOSER: Final = Limit(125, "percent", "of the face's width before", "measured")
GESTURE_CLOSER_REST: Final = Limit(110, "percent", "below, it has not come closer", "measured")
FACE_CHALLENGE_SECONDS: Final = Limit(60, "seconds", "to look straight once and do two gestures: a fifth of it does", "BIO-06")
FACE_SENDING_SECONDS: Final = Limit(30, "seconds", "of sending do not count against a challenge: 100 KB on a 2G line take 20, and whoever drags it out gains no more", "own")
FACE_GESTURES: Final = Limit(2, "gestures", "asked for one at a time: with a look straight ahead in 15 seconds it is done", "own")
FACE_CHALLENGES: Final = Limit(10, "challenges in one journey", "whoever has not managed by then takes another way")
FACE_FAULTS: Final = Limit(20, "sets of pictures in one journey", "that were too dark, too near and the like: they cost no try, so their number has an end")
FACE_DIAGNOSED_FROM: Final = Limit(3, "failures in a row", "then it is looked whether the document has expired: whoever renews it needs an old photo no more")
FACE_DAYS: Final = Limit(730, "days", "faces age; and what is not kept cannot be stolen", "face reference 7: 24 months")
FACE_AHEAD_DAYS: Final = Limit(30, "days", "before a face ends its owner is told, as of a document", "design")
FACE_KEPT_DAYS: Final = Limit(90, "days", "so long an expired face is known to have expired; then it is as if there never was one")
FACE_AGE_MIN: Final = Limit(18, "years", "young faces are told apart badly, and a child cannot consent alone", "measured")
FACE_ONCE_DAYS: Final = Limit(90, "days", "a picture that was accepted once is known again for so long; by then a film of it is known by its age")

# Accounts.
AMOUNT_MINOR_MAX: Final = Limit(10**17, "minor units", "a thousand million million yuan: more is a fault of the file; a hundred of them still fit into 64 bits")
ACCOUNTS_PER_CUSTOMER: Final = Limit(100, "accounts", "as many cards as one person may hold; a page that lists them stays a page")
ENTRIES_PER_PAGE: Final = Limit(20, "entries", "what somebody looks through on a phone before scrolling on")
ENTRIES_PER_PAGE_MAX: Final = Limit(200, "entries", "one answer of the API")
ENTRY_QUERY_CHARS: Final = Limit(60, "characters", "a name, or half a sentence of remittance")
ENTRY_WORDS: Final = Limit(4, "words", "payer, month, and what for; each one is looked for in every entry of the account")
ENTRY_SIGNS: Final = Limit(600, "signs", "what an entry is found by; a sentence has a hundred, and an index row of PostgreSQL holds no more than 2,700 bytes")
ENTRY_SIGNS_ASKED: Final = Limit(8, "signs", "of what was typed; these leave next to nothing to be opened in vain")
ENTRY_BATCH: Final = Limit(200, "entries", "written in one transaction: short enough that sign-ins do not wait")
ACCOUNTS_SECONDS: Final = Limit(5, "seconds", "for one answer of a core bank elsewhere; somebody looks at an empty page")
ACCOUNTS_ANSWER_BYTES: Final = Limit(4 * 1024**2, "bytes", "two hundred transactions have a tenth of it")
ACCOUNTS_FAILURES: Final = Limit(5, "failures in a row", "then it is left alone for a while, and every page says at once that the accounts are away")
ACCOUNTS_REST_SECONDS: Final = Limit(20, "seconds", "how long; then one visitor asks for everybody")
STATEMENT_FILE_BYTES: Final = Limit(1024**3, "bytes of a file", "a bank's day has some hundred MB; it is read piece by piece")
STATEMENTS_PER_FILE: Final = Limit(100_000, "statements of a file", "one for each account of a large branch; their sums are kept while the file is read")
STATEMENT_ENTRIES: Final = Limit(1_000_000, "entries of a file", "what tells equal ones apart is kept while the file is read: 100 MB")
STATEMENT_FIELD_CHARS: Final = Limit(4000, "characters of an MT940 field", "six lines of 65 by the book; some banks write forty")
XML_DEPTH: Final = Limit(32, "elements within each other", "camt goes 14 deep", "ISO 20022")
XML_NODES: Final = Limit(2000, "elements of one entry", "a single transaction has a hundred; of a batch the first is kept")
XML_TEXT_CHARS: Final = Limit(10_000, "characters of one element", "the longest text of camt has 500", "ISO 20022")
OBP_FILE_BYTES: Final = Limit(64 * 1024**2, "bytes of a sandbox file", "the published ones have a third of one MB; JSON is read whole")
VERIFY_BATCH: Final = Limit(50, "accounts", "recomputed in one transaction: nobody waits for long")
MONTHS_MAX: Final = Limit(60, "months", "five years, drawn or summed at once")
MONTHS_SHOWN: Final = Limit(12, "months", "a year at a glance: each season once, and twelve bars fit a phone")
EXPORT_DAYS_MAX: Final = Limit(3 * 366, "days", "of one statement: three years, as tax offices ask")
EXPORT_ENTRIES: Final = Limit(50_000, "entries", "of one file: 10 MB of text in memory; a shorter time has fewer")
EXPORT_PDF_ENTRIES: Final = Limit(5_000, "entries", "of one PDF: a hundred and fifty pages, half a minute of a processor; the other formats take more")
EXPORT_SECONDS: Final = Limit(DAY, "seconds", "a file is there until the next day, then it is made anew")
EXPORT_LEASE_SECONDS: Final = Limit(5 * MINUTE, "seconds", "who makes a file and says nothing for so long has died; another node begins again")
EXPORT_TRIES: Final = Limit(3, "tries", "then it has failed, and the page says so")
EXPORTS_PER_MINUTE: Final = Limit(10, "files per source and minute", "a PDF takes a processor for a second; nobody reads ten a minute")
EXPORT_WAIT_SECONDS: Final = Limit(3, "seconds", "most files are made while the page is on its way; the others are told when ready")
EXPORT_TOLD_SECONDS: Final = Limit(30, "seconds", "whoever had to wait longer has left the page, and gets a message")
EXPORTS_PER_CUSTOMER: Final = Limit(20, "files", "at once; more is no customer")
EXPORT_POLL_SECONDS: Final = Limit(5, "seconds", "between two looks for files to make; one asked for here is begun at once")
ALERT_FRESH_DAYS: Final = Limit(2, "days", "an entry older than that is no news: an imported history wakes nobody")
OVERVIEW_ENTRIES: Final = Limit(5, "entries", "what happened since one last looked; the whole record is a tap away")
OVERVIEW_ACCOUNTS: Final = Limit(10, "accounts", "looked into for the overview; whoever has more opens them one by one")
ACCOUNT_LOOKS_PER_MINUTE: Final = Limit(240, "requests per source and minute", "a person leafs through a page a second; a family shares an address")

# WeChat and Alipay.
SOCIAL_STATE_SECONDS: Final = Limit(10 * MINUTE, "seconds", "from our page to the provider's and back; their codes live as long", "SOC-03")
SOCIAL_CODE_CHARS: Final = Limit(256, "characters", "a code of theirs has 32 to 128")
SOCIAL_SECONDS: Final = Limit(3, "seconds", "for one answer of a provider; somebody waits for it", "SOC-07")
SOCIAL_ANSWER_BYTES: Final = Limit(64 * 1024, "bytes", "an honest answer of a provider is below 2 KB")
SOCIAL_FAILURES: Final = Limit(5, "failures in a row", "then a provider is left alone for a while, and nobody waits for it", "SOC-07")
SOCIAL_REST_SECONDS: Final = Limit(20, "seconds", "how long; then one visitor tries for everybody", "SOC-07")
SOCIAL_TEXT_CHARS: Final = Limit(40, "characters", "a nickname or a region on a narrow screen; WeChat's own bound is 32")
PICTURE_SECONDS: Final = Limit(3, "seconds", "in all, names looked up included; without a picture the link is made all the same", "SOC-06")
PICTURE_BYTES: Final = Limit(256 * 1024, "bytes", "a picture of 132 pixels has 10 KB", "SOC-06")
PICTURE_PIXELS: Final = Limit(2_100_000, "pixels", "known from the header, before anything is decoded", "SOC-06")
PICTURE_SIDE: Final = Limit(132, "pixels", "what is kept of a picture: the largest that is shown", "WeChat's own size")

# The edge.
BODY_BYTES: Final = Limit(16 * 1024, "bytes", "the longest honest answer is below 2 KB")
FACE_BODY_BYTES: Final = Limit(2304 * 1024, "bytes", "one set of pictures, a third longer as text, on the one route that takes them; read only when the journey asks for a face")
FIELD_CHARS: Final = Limit(512, "characters", "the longest honest field is a password of 128 characters, pasted with blanks")
AGENT_READ_CHARS: Final = Limit(600, "characters", "WeChat on a Huawei phone names itself behind some 300 others; what follows is not read", "measured")
AGENT_DIGITS: Final = Limit(6, "digits of one part of a version", "the largest honest one is a build number; more is no version")
AGENT_PARTS: Final = Limit(4, "parts of a version", "Chrome has four; further ones decide nothing")
KEY_CHARS: Final = Limit(64, "characters", "an idempotency key is a UUID or the like", "draft-ietf-httpapi-idempotency-key-header")
STARTS_PER_MINUTE: Final = Limit(60, "journeys per source and minute", "a shop's whole Wi-Fi fits in; a script does not")
IPV6_NETWORK_BITS: Final = Limit(64, "bits", "of a network that counts as one source: the least that one subscriber is given", "RFC 6177")
ANSWERS_PER_MINUTE: Final = Limit(240, "answers per source and minute", "four answers for each journey that may be begun")
DATABASE_WAIT_SECONDS: Final = Limit(2, "seconds", "a request that has no connection by then is told that we are busy", "REL-06")

# On the phone. The scripts carry the same numbers, and a test compares them.
KEPT_PAGES: Final = Limit(40, "pages and files kept", "the sign-in page, help, and the outlets of one town")
KEPT_BYTES: Final = Limit(900_000, "bytes kept", "with the offline page below 1 MB on the device; the oldest go first", "budget")
RACE_SECONDS: Final = Limit(5, "seconds", "then a page that was kept is shown in place of one that does not come", "measured")
LINK_PATIENCE_SECONDS: Final = Limit(20, "seconds", "what a link with 10 % loss needs for an answer, twice over; then it is asked again", "measured")
UPLOAD_PATIENCE_SECONDS: Final = Limit(120, "seconds", "pictures of a face at 20 kbit/s")
SLOW_AFTER_SECONDS: Final = Limit(5, "seconds", "of silence, until the page says that the link is slow")
LINK_TRIES: Final = Limit(5, "tries by itself", "a minute and a half of waiting; then the page says what else works, and the button stays")
WISHES: Final = Limit(3, "appointments that wait on a device", "a family's errands; more are booked when there is a link")
WISH_DAYS: Final = Limit(7, "days", "nobody wants last month's appointment; then it goes from the device")

# Appointments.
SLOT_MINUTES: Final = Limit(15, "minutes", "the grid that appointments stand on; every time zone is a multiple of it away from UTC")
HOLD_SECONDS: Final = Limit(5 * MINUTE, "seconds", "as long as a code lives; then the place is free for others")
HOLDS_PER_MINUTE: Final = Limit(20, "places held per source and minute", "a hall full of people on one Wi-Fi; a script that would hold an outlet full is slowed", "ASVS 5.0 2.4.1")
BOOKING_DAYS: Final = Limit(30, "days", "how far ahead may be booked; further ahead people forget")
BOOKING_DAYS_SHOWN: Final = Limit(7, "days", "one page of free times")
BOOKINGS_PER_DAY: Final = Limit(2, "appointments per number on one day", "one person, two errands; more would book an outlet full", "banks' practice")
NO_SHOWS: Final = Limit(2, "appointments missed", "then the number rests from booking; walking in stays open", "banks' practice")
BOOKING_PAUSE_DAYS: Final = Limit(30, "days", "how long it rests", "banks' practice: one to three months")
PEOPLE_PER_BOOKING: Final = Limit(5, "people", "a family; a company calls")
CHECK_IN_BEFORE_SECONDS: Final = Limit(30 * MINUTE, "seconds", "before that the waiting room is for others")
CHECK_IN_AFTER_SECONDS: Final = Limit(10 * MINUTE, "seconds", "late by a bus; after that the next person is called")
QUEUE_AFTER_MIDNIGHT_SECONDS: Final = Limit(2 * HOUR, "seconds", "an outlet open all night still calls who waited at midnight; later they went home")
REMINDER_DAY_SECONDS: Final = Limit(24 * HOUR, "seconds", "the first reminder: time to move or cancel")
REMINDER_SOON_SECONDS: Final = Limit(2 * HOUR, "seconds", "the second: time to leave the house with the documents")
UPKEEP_SECONDS: Final = Limit(20, "seconds", "reminders, lapsed holds and missed appointments are looked for this often")
UPKEEP_BATCH: Final = Limit(100, "appointments", "one bite of the upkeep")
APPOINTMENT_DAYS: Final = Limit(90, "days", "kept after the visit, for questions; then all of it goes")
CASE_DAYS: Final = Limit(30, "days", "as far ahead as may be booked, so the number is good at the counter")
CASES_PER_JOURNEY: Final = Limit(5, "cases", "one for each thing that somebody tries on one journey")
QUEUE_ROWS: Final = Limit(500, "appointments", "one outlet's day, on one screen")
CAPACITY_MAX: Final = Limit(50, "people at once", "the largest hall there is; a larger number is a typing mistake")

# At the counter.
PROPOSAL_SECONDS: Final = Limit(30 * MINUTE, "seconds", "the customer stands there and waits for the second person", "OWASP; banks' practice")
PROPOSAL_SECONDS_MAX: Final = Limit(DAY, "seconds", "nobody is waiting; the other administrator is on the next shift")
PROPOSAL_KEPT_DAYS: Final = Limit(90, "days", "for questions; the record keeps what happened")
PROPOSALS_LISTED: Final = Limit(100, "proposals", "one page; an outlet has a handful open")
HOURS_MARGIN_SECONDS: Final = Limit(30 * MINUTE, "seconds", "before opening and after closing: whoever is inside is served", "TEL-02")
SEARCHES_PER_HOUR: Final = Limit(60, "searches per member of staff", "a teller serves a dozen people an hour and mistypes; more is somebody looking people up", "TEL-05")
NUMBER_CHANGES_PER_DAY: Final = Limit(12, "proposals per member of staff", "a busy counter has half as many; each one hands a login to whoever stands there", "TEL-05")
FOUND_LISTED: Final = Limit(10, "people", "more means that the search says too little: add the last four of the document")
REASON_CHARS_MIN: Final = Limit(4, "characters", "enough for a ticket number or two words")
NOTE_CHARS_MIN: Final = Limit(4, "characters", "a consent or a refusal says what it rests on")
NOTE_CHARS_MAX: Final = Limit(200, "characters", "a sentence; the record is no archive")
FILE_SECONDS: Final = Limit(HOUR, "seconds", "one customer's turn; then search again, and say why again")
TRAIL_LISTED: Final = Limit(50, "events", "one page of a timeline")
STAFF_LISTED: Final = Limit(200, "members of staff", "one page; an outlet has a dozen")
COOLING_SECONDS: Final = Limit(DAY, "seconds", "a number replaced at the counter signs in at once and vouches for nothing of high risk until the real owner had a day to object", "REC-06; banks' practice")
PERMIT_SECONDS: Final = Limit(DAY, "seconds", "at home, in peace, the same evening; a slip found later opens nothing", "own")
STOP_LINK_SYMBOLS: Final = Limit(26, "base32 symbols", "130 bits: nobody freezes a login by guessing", "REC-07; NIST SP 800-63B-4 3.1.3.2")
STOP_LINK_SECONDS: Final = Limit(DAY, "seconds", "as long as a replaced number cools", "TEL-04")

# A number that changed hands.
NUMBER_RECENT_SECONDS: Final = Limit(3 * DAY, "seconds", "whose number was taken notices that the phone is dead, and has it back within days; a new SIM of one's own is no trouble for longer", "own; NIST SP 800-63B-4 3.1.3.3 names no time, CAMARA SIM Swap takes 240 hours if nothing is said")
NUMBER_ASK_SECONDS: Final = Limit(3, "seconds", "somebody waits; no answer by then is the answer that nobody knows", "own")
NUMBER_ANSWER_SECONDS: Final = Limit(2, "seconds", "for one question, its token included: less than anybody waits, so that a service that hangs is seen to fail", "own")
NUMBER_FAILURES: Final = Limit(5, "failures in a row", "then the networks' service is left alone for a while, and nobody waits for it")
NUMBER_REST_SECONDS: Final = Limit(20, "seconds", "how long; then one question tries for everybody")
NUMBER_ANSWER_BYTES: Final = Limit(16 * 1024, "bytes", "a date has 60, a token rarely more than 2 KB")

# The network check.
NETWORK_PROBES: Final = Limit(8, "requests", "enough for a median and to see a lost one; a second and a half on a 3G link", "front-end reference 3.3")
NETWORK_PROBE_SECONDS: Final = Limit(4, "seconds", "an answer that takes longer is no use to a form: it counts as lost")
NETWORK_FILLER_BYTES: Final = Limit(40_000, "bytes", "all that a check of the speed may cost: somebody pays for it by the megabyte", "front-end reference 3.3")
NETWORK_FILLER_SECONDS: Final = Limit(4, "seconds", "then the speed is known to be low; the rest of the bytes stays where it is", "front-end reference 3.3")
NETWORK_NONCE_CHARS: Final = Limit(32, "characters", "128 bits as hexadecimal digits; what is sent back is no longer than that")
NETWORK_PROOF_SECONDS: Final = Limit(10 * MINUTE, "seconds", "a check takes half a minute; the answer of a probe that is shown later is not of this check")
NETWORK_PROBES_PER_MINUTE: Final = Limit(600, "small requests per source and minute", "ten for each check; a waiting room on one Wi-Fi checks together")
NETWORK_CHECKS_PER_MINUTE: Final = Limit(240, "costlier requests per source and minute", "four for each check; two of them bring the bytes")
NETWORK_REPORTS_PER_MINUTE: Final = Limit(6, "reports per source and minute", "one for each call to the hotline; a script would fill the list")
NETWORK_REPORT_DAYS: Final = Limit(7, "days", "so long somebody may call about it")
NETWORK_REPORTS_KEPT: Final = Limit(10_000, "reports", "3 MB; the oldest goes when one more comes")
NETWORK_REPORTS_SHOWN: Final = Limit(5, "reports", "of one code: the newest is the caller's, the others say that more people have the trouble")
CACHE_BUDGET_BYTES: Final = Limit(1_000_000, "bytes", "of everything that we let a browser keep: an old phone is full", "front-end reference 1.4")
STATUS_KEPT_SECONDS: Final = Limit(5, "seconds", "one look at database, gateway and core bank answers everybody who asks meanwhile")
STATUS_WAIT_SECONDS: Final = Limit(2, "seconds", "what has not answered by then is down, whatever it may say later")
STATUS_SLOW_MS: Final = Limit(500, "milliseconds", "fifty times what it takes; somebody would notice")
SMS_LATE_SECONDS: Final = Limit(30, "seconds", "a message that waits longer is late: people ask for another by then")
SMS_DOWN_SECONDS: Final = Limit(2 * MINUTE, "seconds", "a message that waits longer will be too late for its code")
SMS_LOOKED_AT_SECONDS: Final = Limit(5 * MINUTE, "seconds", "whether messages go out is told from those that ended since")
SMS_FAILURES: Final = Limit(3, "messages", "given up while none went out: it is the gateway, not a number")

# Guessing at many accounts, a little at each.
GUESSING_WINDOW_SECONDS: Final = Limit(MINUTE, "seconds", "in which failures of proofs count as at once; of codes it is the time that a code lives", "ASVS 5.0 6.3.1")
GUESSING_LOOK_SECONDS: Final = Limit(20, "seconds", "how often it is looked, so that the alarm comes within the minute")
GUESSING_SETTLED_SECONDS: Final = Limit(10, "seconds", "by then whatever was tried has been compared, on the busiest morning too")
GUESSED_MIN: Final = Limit(50, "accounts failing", "fewer are a bad morning of a small bank")
GUESSED_SHARE: Final = Limit(4, "tried for each that fails", "one in four of all that are tried fails and does not go on to succeed; on a usual day one in twenty does", "own")
GUESSING_AGAIN_SECONDS: Final = Limit(10 * MINUTE, "seconds", "until a process tells once more, while it goes on")

# On the wire.
KEEP_ALIVE_SECONDS: Final = Limit(2 * MINUTE, "seconds", "a code arrives and is typed within it, so the next page needs no new handshake: three round trips on a slow link, 2.4 s", "measured")
REQUESTS_PER_CONNECTION: Final = Limit(32, "requests at once", "a page asks for five; those that run on after their stream was reset count too (HTTP/2)", "RFC 9113 10.5; CVE-2023-44487")
RESETS_PER_CONNECTION: Final = Limit(100, "streams reset", "a person who goes back and forth resets a few; then the connection is closed (HTTP/2)", "CVE-2023-44487")
IDLE_FRAMES_PER_REQUEST: Final = Limit(200, "frames that bring nothing", "pings, settings, empty pieces; then the connection is closed (HTTP/2)", "CVE-2019-9512, -9515, -9518")
SETTINGS_ACK_SECONDS: Final = Limit(1, "seconds", "the request follows within it, by 20 kbit/s too, and one packet has the answer as well; no client waits for this word, which RFC 9113 6.5.3 would have at once (HTTP/2)", "measured")
HEADER_BYTES: Final = Limit(16 * 1024, "bytes", "of all headers of a request; a browser with all our cookies sends 2,000 (HTTP/2)", "RFC 9113 10.5.1")
PARTIAL_BYTES: Final = Limit(64 * 1024, "bytes without a whole frame", "a frame has 16 KB at most, and headers in pieces have a bound of their own (HTTP/2)", "RFC 9113 4.2")
CERTIFICATE_LOOK_SECONDS: Final = Limit(MINUTE, "seconds", "how often it is looked whether the certificate was renewed")
RSA_BITS_MIN: Final = Limit(2048, "bits", "browsers take no shorter key; ECDSA is smaller and better", "CA/Browser Forum BR 6.1.5")
COMPRESSED_BYTES_MIN: Final = Limit(256, "bytes", "what is smaller gains less than the header that says so, and costs time")

# Budgets: what a page may weigh. A breach fails the build, as at every other limit one byte more is too many.
FIRST_PAGE_BYTES: Final = Limit(6 * 1024, "bytes of HTML, brotli", "style inside, usable after one request: each 6 KB cost a second on 2G", "measured")
FIRST_PAGE_GZIP_BYTES: Final = Limit(7680, "bytes of HTML, gzip", "the same for phones that have no brotli", "measured")
PAGE_BYTES: Final = Limit(5 * 1024, "bytes of HTML, brotli", "every other page for customers", "measured")
SCRIPT_BYTES: Final = Limit(3 * 1024, "bytes of a script, brotli", "nobody waits for it, but somebody pays for it", "measured")
FIRST_VISIT_BYTES: Final = Limit(14 * 1024, "bytes down, with TLS", "page, scripts and icon fit into the first window of TCP, ten segments: no round trip more", "RFC 6928")
SIGN_IN_DOWN_BYTES: Final = Limit(20 * 1024, "bytes down, with TLS", "a whole sign-in by phone and code, from nothing to home: 3.3 s of a 2G link", "measured")
SIGN_IN_UP_BYTES: Final = Limit(6 * 1024, "bytes up, with TLS", "the same upwards, cookies and headers included; a browser's hello alone is 1,800", "measured")
SIGN_IN_CONNECTIONS: Final = Limit(1, "connections", "each further one costs three round trips and a certificate", "measured")

# Behind the door.
OUTBOX_TRIES: Final = Limit(5, "tries", "with back-off within the code's life; then the message is given up and counted")
OUTBOX_BATCH: Final = Limit(50, "messages", "one claim of the dispatcher")
PURGE_BATCH: Final = Limit(500, "rows", "one bite of the janitor: short locks, and it can stop between bites")
SEAL_SECONDS: Final = Limit(60, "seconds", "the audit heads are sealed at least this often", "AUD-03")
AUDIT_DETAILS_BYTES: Final = Limit(2048, "bytes", "an event says what happened, it is no archive")
IMPORT_LINE_CHARS: Final = Limit(2000, "characters", "a line of a customer file")
# fmt: on


def failures_max(counter: str) -> int:
    """Return how many failures in all turn a proof off, by the name of its counter."""
    return FACE_FAILURES if counter == "face" else TOTAL_FAILURES


def every_limit() -> dict[str, Limit]:
    """Return all limits by name, for the documentation and the tests."""
    return {name: value for name, value in globals().items() if isinstance(value, Limit)}
