"""What is shown of a number or a name to who need not see all of it: banking practice."""

from __future__ import annotations


def mask_phone(phone: str) -> str:
    """`+8613812345678` becomes `138****5678`."""
    national = phone.removeprefix("+86")
    return f"{national[:3]}****{national[-4:]}"


def mask_card(card: str) -> str:
    """Last four only."""
    return f"•••• {card[-4:]}"


def mask_name(name: str) -> str:
    """Only the last character stays: `张三` becomes `*三`, `欧阳小明` `***明`; Latin names keep the first initial."""
    if name.isascii():
        return " ".join(part[:1] + "*" * min(3, len(part) - 1) for part in name.split())
    return "*" * min(3, max(1, len(name) - 1)) + name[-1]


def mask_document(number: str) -> str:
    """First and last character."""
    return f"{number[:1]}{'*' * 6}{number[-1:]}"
