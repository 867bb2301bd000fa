"""What a browser calls itself, in words that its owner knows: `Chrome · Android`."""

from __future__ import annotations

from typing import Final

from foregate.desk.view import Option
from foregate.doors.text import catalog

# The first that occurs names it: browsers name their ancestors too.
PROGRAMS: Final = (
    ("MicroMessenger", "WeChat"),
    ("AlipayClient", "Alipay"),
    ("HuaweiBrowser", "Huawei Browser"),
    ("MiuiBrowser", "Mi Browser"),
    ("QQBrowser", "QQ Browser"),
    ("UCBrowser", "UC Browser"),
    ("Edg", "Edge"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
SYSTEMS: Final = (
    ("HarmonyOS", "HarmonyOS"),
    ("OpenHarmony", "HarmonyOS"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS", "Mac"),
    ("Linux", "Linux"),
)


def device_name(language: str, agent: str) -> str:
    """Return browser and system, as far as they are known."""
    names = [_first(agent, PROGRAMS), _first(agent, SYSTEMS)]
    return " · ".join(name for name in names if name) or catalog.text(language, "home.unknown-agent")


def label_of(language: str, option: Option) -> str:
    """Return what stands beside something to pick."""
    return option.label if option.agent is None else device_name(language, option.agent)


def _first(agent: str, table: tuple[tuple[str, str], ...]) -> str | None:
    return next((name for mark, name in table if mark in agent), None)
