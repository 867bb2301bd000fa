"""What the house needs of the world: the Protocols that `bootstrap` fills, and the records that cross them.

Acts, proofs and the desk see the store and the gateways only through these. Times are whole seconds since 1970,
read from one `Clock`. Customers, sessions, devices and journeys are named by UUIDv7 in text form.
"""

from foregate.ports.documents import (
    DocumentNotices,
    DocumentRegistry,
    RegistryVerdict,
)
from foregate.ports.errors import (
    AccountsAway,
    Busy,
    Rejected,
    Taken,
    TooMuch,
    Unreachable,
)
from foregate.ports.gateways import (
    Clock,
    CoreBank,
    Hasher,
    Keyring,
    Throttle,
)
from foregate.ports.passkeys import (
    PasskeyChallenge,
    PasskeyRow,
    Passkeys,
)
from foregate.ports.permits import (
    PermitRow,
    Permits,
    StopLinkRow,
    StopLinks,
)
from foregate.ports.records import (
    CardHolder,
    CodeRow,
    Condition,
    CounterRow,
    Customer,
    DeviceRow,
    Event,
    JourneyRow,
    Message,
    Person,
    RangeVerdict,
    SendVerdict,
    SessionRow,
    Tried,
)
from foregate.ports.store import (
    Audit,
    Codes,
    Counters,
    Customers,
    Devices,
    Journeys,
    Outbox,
    Permissions,
    Sessions,
    Store,
    UnitOfWork,
)

# fmt: off
__all__ = [
    "AccountsAway", "Audit", "Busy", "CardHolder", "Clock", "CodeRow", "Codes", "Condition", "CoreBank", "CounterRow",
    "Counters", "Customer", "Customers", "DeviceRow", "Devices", "DocumentNotices", "DocumentRegistry", "Event",
    "Hasher", "JourneyRow", "Journeys", "Keyring", "Message", "Outbox", "PasskeyChallenge", "PasskeyRow", "Passkeys",
    "Permissions", "PermitRow", "Permits", "Person", "RangeVerdict", "RegistryVerdict", "Rejected", "SendVerdict",
    "SessionRow",
    "Sessions", "StopLinkRow", "StopLinks", "Store", "Taken", "Throttle", "TooMuch", "Tried", "UnitOfWork",
    "Unreachable",
]
# fmt: on
