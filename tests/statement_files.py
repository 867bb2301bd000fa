"""Statements to import, written by the tests: camt of any version, MT940, and a sandbox file."""

import json
from collections.abc import Sequence
from pathlib import Path

REAL = Path(__file__).parents[2] / "shared" / "data"
ROOTS = {
    "052": ("BkToCstmrAcctRpt", "Rpt"),
    "053": ("BkToCstmrStmt", "Stmt"),
    "054": ("BkToCstmrDbtCdtNtfctn", "Ntfctn"),
}
VERSIONS = (
    "052.001.01", "052.001.02", "052.001.04", "052.001.06", "052.001.08", "053.001.02", "053.001.03", "053.001.04",
    "053.001.08", "054.001.02", "054.001.04", "054.001.08",
)  # fmt: skip
NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt."
IBAN = "DE89370400440532013000"
Line = tuple[str, str, str, str]  # day, signed amount, name, words


def camt_balance(code: str, signed: str, day: str, currency: str = "EUR", version: str = "053.001.08") -> str:
    kind = f"<Cd>{code}</Cd>" if version.endswith("052.001.01") else f"<CdOrPrtry><Cd>{code}</Cd></CdOrPrtry>"
    indicator = "DBIT" if signed.startswith("-") else "CRDT"
    return (
        f'<Bal><Tp>{kind}</Tp><Amt Ccy="{currency}">{signed.lstrip("-")}</Amt><CdtDbtInd>{indicator}</CdtDbtInd>'
        f"<Dt><Dt>{day}</Dt></Dt></Bal>"
    )


def camt_entry(
    line: Line, version: str = "053.001.08", currency: str = "EUR", status: str = "BOOK", ref: str = ""
) -> str:
    day, signed, name, words = line
    release = int(version[-2:])
    is_debit = signed.startswith("-")
    side = "Cdtr" if is_debit else "Dbtr"
    party = f"<{side}><Pty><Nm>{name}</Nm></Pty></{side}>" if release >= 8 else f"<{side}><Nm>{name}</Nm></{side}>"
    bic = "BIC" if release <= 2 else "BICFI"
    details = (
        f"<TxDtls><Refs><EndToEndId>NOTPROVIDED</EndToEndId></Refs><RltdPties>{party}<{side}Acct><Id>"
        f"<IBAN>NL91ABNA0417164300</IBAN></Id></{side}Acct></RltdPties><RltdAgts><{side}Agt><FinInstnId>"
        f"<{bic}>ABNANL2A</{bic}></FinInstnId></{side}Agt></RltdAgts><RmtInf><Ustrd>{words}</Ustrd></RmtInf></TxDtls>"
    )
    code = "<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd>"
    return (
        f'<Ntry><Amt Ccy="{currency}">{signed.lstrip("-")}</Amt><CdtDbtInd>{"DBIT" if is_debit else "CRDT"}</CdtDbtInd>'
        f"<Sts>{f'<Cd>{status}</Cd>' if release >= 8 else status}</Sts><BookgDt><Dt>{day}</Dt></BookgDt>"
        f"<ValDt><Dt>{day}</Dt></ValDt>{f'<AcctSvcrRef>{ref}</AcctSvcrRef>' if ref else ''}{code}"
        f"{details if version == '052.001.01' else f'<NtryDtls>{details}</NtryDtls>'}</Ntry>"
    )


def camt(body: str, version: str = "053.001.08", *, account: str = IBAN, currency: str = "EUR") -> str:
    """Return a message with one statement; `body` is its balances and entries."""
    root, part = ROOTS[version[:3]]
    root += "V01" if version == "052.001.01" else ""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="{NAMESPACE}{version}">\n'
        f"<{root}><GrpHdr><MsgId>M1</MsgId><CreDtTm>2026-11-02T18:00:00+01:00</CreDtTm></GrpHdr>\n"
        f"<{part}><Id>S1</Id><CreDtTm>2026-11-02T18:00:00+01:00</CreDtTm><Acct><Id><IBAN>{account}</IBAN></Id>"
        f"<Ccy>{currency}</Ccy></Acct>\n{body}\n</{part}></{root}></Document>\n"
    )


def camt_statement(opening: str, closing: str, lines: Sequence[Line], version: str = "053.001.08", **more: str) -> str:
    """Return a message with opening, closing and entries."""
    first, last = (lines[0][0], lines[-1][0]) if lines else ("2026-11-01", "2026-11-01")
    body = [camt_balance("OPBD", opening, first, version=version), camt_balance("CLBD", closing, last, version=version)]
    return camt("\n".join([*body, *(camt_entry(line, version) for line in lines)]), version, **more)


def mt940(opening: str, closing: str, lines: Sequence[Line], account: str = "10020030/1234567") -> str:
    """Return one message."""

    def balance(tag: str, signed: str, day: str) -> str:
        mark = "D" if signed.startswith("-") else "C"
        return f":{tag}:{mark}{day[2:].replace('-', '')}EUR{signed.lstrip('-').replace('.', ',')}"

    first, last = (lines[0][0], lines[-1][0]) if lines else ("2026-11-01", "2026-11-01")
    fields = [":20:STARTUMS", f":25:{account}", ":28C:00001/001", balance("60F", opening, first)]
    for day, signed, name, words in lines:
        mark, amount = ("D" if signed.startswith("-") else "C"), signed.lstrip("-").replace(".", ",")
        fields.append(f":61:{day[2:].replace('-', '')}{day[5:].replace('-', '')}{mark}{amount}NTRFNONREF")
        fields.append(f":86:166?00GUTSCHRIFT?20{words}?30ABNANL2A?31NL91ABNA0417164300?32{name}")
    return "\r\n".join([*fields, balance("62F", closing, last), "-", ""])


def sandbox(opening: str, lines: Sequence[Line], owner: str = "C001") -> str:
    """Return a sandbox file with one account; each transaction with the balance after it."""
    from decimal import Decimal

    balance, transactions = Decimal(opening), []
    for number, (day, signed, name, words) in enumerate(lines):
        balance += Decimal(signed)
        transactions.append(
            {
                "id": f"t{number}",
                "this_account": {"id": "a1", "bank": "b1"},
                "counterparty": {"name": name},
                "details": {
                    "type": "Transfer",
                    "description": words,
                    "posted": f"{day}T00:00:00.000Z",
                    "completed": f"{day}T00:00:00.000Z",
                    "new_balance": str(balance),
                    "value": signed,
                },
            }
        )
    account = {
        "id": "a1", "bank": "b1", "number": "18449011898", "type": "CURRENT PLUS", "label": "daily", "owners": [owner],
        "balance": {"currency": "EUR", "amount": str(balance)},
    }  # fmt: skip
    return json.dumps(
        {"banks": [{"id": "b1", "full_name": "Bank"}], "accounts": [account], "transactions": transactions}
    )
