"""The browser that the tests start is as they ask for it."""

from tests.conftest import PageAt


def test_chromium_shows_chinese_on_a_narrow_phone(page_at: PageAt) -> None:
    """The browser is as wide as it was asked to be, and speaks the asked language."""
    page = page_at(width=320, locale="zh-CN")
    page.set_content("<h1>登录</h1>")

    assert (320, "zh-CN") == (page.evaluate("innerWidth"), page.evaluate("navigator.language"))
    assert "登录" == page.locator("h1").inner_text()
