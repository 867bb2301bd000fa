"""The providers that the settings set up, with their secrets read from files."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from foregate.gateways.social.alipay import Alipay, AlipayKeys
from foregate.gateways.social.pictures import GuardedPictures
from foregate.gateways.social.signing import private_key, public_key
from foregate.gateways.social.wechat import App, WeChat
from foregate.ports import Clock
from foregate.ports.social import SocialProvider
from foregate.rules.social import Provider, Surface
from foregate.settings import BadSettings, Settings


def open_providers(settings: Settings, clock: Clock) -> Mapping[Provider, SocialProvider]:
    """Return a client for each provider that is set up. Raises BadSettings for keys that cannot be used."""
    found: dict[Provider, SocialProvider] = {}
    if apps := _wechat_apps(settings):
        found[Provider.WECHAT] = WeChat(
            apps,
            authorize=settings.wechat_pages_url,
            api=settings.wechat_api_url,
            callback=_callback(settings, Provider.WECHAT),
        )
    if settings.alipay_app_id:
        found[Provider.ALIPAY] = Alipay(
            settings.alipay_app_id,
            _alipay_keys(settings),
            clock,
            authorize=settings.alipay_authorize_url,
            gateway=settings.alipay_gateway_url,
            callback=_callback(settings, Provider.ALIPAY),
        )
    return found


def _alipay_keys(settings: Settings) -> AlipayKeys:
    try:
        own = private_key(Path(settings.alipay_key_file).read_text("ascii"))
        theirs = public_key(Path(settings.alipay_public_key_file).read_text("ascii"))
    except (OSError, ValueError) as wrong:
        raise BadSettings(f"alipay_key_file and alipay_public_key_file: {wrong}") from None
    return AlipayKeys(own=own, theirs=theirs)


def open_pictures(settings: Settings) -> GuardedPictures | None:
    """Return the guarded way to pictures, or None where nothing is installed that draws them anew."""
    if find_spec("cv2") is None:
        return None
    return GuardedPictures(settings.social_picture_hosts, allows_loopback=settings.social_allows_loopback)


def _wechat_apps(settings: Settings) -> dict[Surface, App]:
    pairs = {
        Surface.WEB: (settings.wechat_app_id, settings.wechat_secret_file),
        Surface.INSIDE: (settings.wechat_inside_app_id, settings.wechat_inside_secret_file),
        Surface.APP: (settings.wechat_mobile_app_id, settings.wechat_mobile_secret_file),
    }
    set_up = {surface: pair for surface, pair in pairs.items() if pair[0]}
    return {surface: App(app_id, Path(path).read_text("ascii").strip()) for surface, (app_id, path) in set_up.items()}


def _callback(settings: Settings, provider: Provider) -> str:
    return f"{settings.origin}/social/{provider}/callback"
