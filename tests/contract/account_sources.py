"""One life, told to every source of accounts there is: what each of them answers has to be the same."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2

from foregate.accounts.importing import import_statements
from foregate.gateways.core_bank.accounts import EmbeddedAccounts
from foregate.gateways.core_bank.fineract import FineractAccounts
from foregate.ports.accounts import Accounts
from foregate.store.unit_of_work import SqlStore
from tests import statement_files as files
from tests.contract.ledger_samples import OWNER, opened, tell, told
from tests.contract.samples import NOW, Clock

# From nothing, over three months, so many on one day that a page ends within it.
LINES: tuple[files.Line, ...] = tuple(
    (f"2026-{9 + n // 20:02d}-{n // 4 % 5 + 1:02d}", amount, name, f"{words} {n}")
    for n in range(60)
    for amount, name, words in [
        (("300.00", "王芳", "房租分摊"), ("-12.50", "绿禾超市", "微信支付"), ("-0.01", "Café Zoë", "coffee"))[n % 3]
    ]
)
CLOSING = f"{sum(Decimal(line[1]) for line in LINES):.2f}"
SOURCES = ("ledger", "camt", "mt940", "sandbox", "fineract")


async def of(source: str, store: SqlStore, folder: Path) -> Accounts:
    """Return a source in which OWNER has one account with LINES, and nobody else has anything."""
    if source == "fineract":
        return FineractAccounts(
            "https://fineract.bank.test/fineract-provider/api", "default", b"reader:secret", Clock(),
            transport=httpx2.MockTransport(Fineract().answer),
        )  # fmt: skip
    if source == "ledger":
        account = await opened(store, currency="EUR")
        await tell(store, account, *(told(*line, currency="EUR") for line in LINES))
    else:
        path = folder / "statement"
        path.write_text(
            {
                "camt": lambda: files.camt_statement("0.00", CLOSING, LINES),
                "mt940": lambda: files.mt940("0.00", CLOSING, LINES),
                "sandbox": lambda: files.sandbox("0.00", LINES),
            }[source]()
        )
        await import_statements(store, path, NOW, owner=OWNER)
    return EmbeddedAccounts(store, store.clock)


class Fineract:
    """Fineract as far as we ask it: shapes as its API describes them, dates as lists, amounts as JSON numbers."""

    def __init__(self) -> None:
        balance, self.rows = Decimal(0), list[dict[str, Any]]()
        for number, (day, signed, name, words) in enumerate(LINES, 1):
            balance += Decimal(signed)
            self.rows.append(
                {
                    "id": number * 7,
                    "accountId": 31,
                    "accountNo": "000000031",
                    "transactionType": {"id": 1, "code": "savingsAccountTransactionType.deposit", "value": "Deposit"},
                    "entryType": "DEBIT" if signed.startswith("-") else "CREDIT",
                    "date": [int(part) for part in day.split("-")],
                    "submittedOnDate": [int(part) for part in day.split("-")],
                    "currency": {"code": "EUR", "name": "Euro", "decimalPlaces": 2},
                    "paymentDetailData": {"id": number, "accountNumber": "NL91ABNA0417164300", "receiptNumber": ""},
                    "amount": abs(Decimal(signed)),
                    "runningBalance": balance,
                    "reversed": False,
                    "isReversal": False,
                    "note": f"{name} {words}",
                }
            )
        self.savings = {
            "id": 31,
            "accountNo": "000000031",
            "clientName": "Li Xiaoming",
            "savingsProductName": "Daily",
            "status": {"id": 300, "code": "savingsAccountStatusType.active", "value": "Active", "active": True},
            "currency": {"code": "EUR", "name": "Euro", "decimalPlaces": 2},
            "timeline": {"activatedOnDate": [2026, 1, 2]},
            "summary": {"accountBalance": balance, "availableBalance": balance},
        }
        self.asked: list[httpx2.Request] = []

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        """Answer one request."""
        self.asked.append(request)
        path = request.url.path.partition("/v1/")[2]
        if path == f"clients/external-id/{OWNER}/accounts":
            return self._json({"savingsAccounts": [self.savings]})
        if path == "savingsaccounts/31":
            return self._json(self.savings)
        if path == "savingsaccounts/31/transactions/search":
            return self._json(self._search(dict(request.url.params)))
        for row in self.rows:
            if path == f"savingsaccounts/31/transactions/{row['id']}":
                return self._json(row)
        return httpx2.Response(404, json={"httpStatusCode": "404"})

    def _search(self, asked: dict[str, str]) -> dict[str, Any]:
        def day(row: dict[str, Any], name: str) -> str:
            return "{:04d}-{:02d}-{:02d}".format(*row[name])

        found = [
            row
            for row in sorted(self.rows, key=lambda row: row["id"], reverse=asked["sortOrder"] == "DESC")
            if asked.get("fromSubmittedDate", "") <= day(row, "submittedOnDate") <= asked.get("toSubmittedDate", "9")
            and asked.get("fromDate", "") <= day(row, "date") <= asked.get("toDate", "9")
            and Decimal(asked.get("fromAmount", "0")) <= row["amount"] <= Decimal(asked.get("toAmount", "1e9"))
            and ("credit" not in asked or row["entryType"] == "CREDIT")
            and ("debit" not in asked or row["entryType"] == "DEBIT")
        ]
        start, limit = int(asked["offset"]), int(asked["limit"])
        return {"total": len(found), "content": found[start : start + limit]}

    @staticmethod
    def _json(value: object) -> httpx2.Response:
        # As Fineract writes decimals: numbers with six places.
        text = json.dumps(value, default=lambda number: f"#{number:.6f}#").replace('"#', "").replace('#"', "")
        return httpx2.Response(200, content=text.encode(), headers={"Content-Type": "application/json"})
