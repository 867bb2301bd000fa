"""The SMS gateway that the settings name: by HTTPS, or by SMPP to the SMS centre itself."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable

from foregate import smpp_settings
from foregate.gateways.sms import SmsGateway
from foregate.gateways.sms.http import HttpSmsGateway
from foregate.settings import Settings, secret_of


def open_gateway(settings: Settings, on_text: Callable[[str, str], Awaitable[bool]]) -> SmsGateway:
    """Return it. `on_text` is given what phones send, where the gateway brings that in by itself."""
    if smpp_settings.is_smpp(settings):
        return _smpp(settings, on_text)
    return HttpSmsGateway(settings.sms_gateway, secret_of(settings.sms_secret_file))


def tls_context(authority_file: str) -> ssl.SSLContext:
    """Return what the centre's certificate is held against: one authority, or those of the system."""
    context = ssl.create_default_context(cafile=authority_file or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # an operator hands out whichever link of the chain it has
    return context


def _smpp(settings: Settings, on_text: Callable[[str, str], Awaitable[bool]]) -> SmsGateway:
    from foregate.gateways.sms.smpp.gateway import Centre, SmppSmsGateway
    from foregate.gateways.sms.smpp.pdus import Address

    host, port = smpp_settings.place_of(settings)
    centre = Centre(
        host=host,
        port=port,
        tls=tls_context(settings.smpp_ca_file) if smpp_settings.is_tls(settings) else None,
        system_id=settings.smpp_system_id,
        password=smpp_settings.password_of(settings),
        system_type=settings.smpp_system_type,
        source=Address(settings.smpp_source, settings.smpp_source_ton, settings.smpp_source_npi),
        is_ucs_2_only=settings.smpp_alphabet == "ucs2",
    )
    return SmppSmsGateway(centre, on_text)
