"""How the shop is set up: channels, currencies, rules, e-mail templates."""

from typing import Final

from linnworks_connector.sandbox.answers import Answer, value
from linnworks_connector.sandbox.calls import Call, Handler
from linnworks_connector.sandbox.handlers.channel_settings import settings_of
from linnworks_connector.sandbox.shop import reference as ref

_RULES: Final = (
    ("Heavy parcels by courier", "Orders", True),
    ("Trade orders into a folder", "Orders", True),
    ("Hold orders over 500", "Orders", False),
)
_TEMPLATES: Final = (
    ("Order despatched", "ORDER_DESPATCHED", True),
    ("Order received", "ORDER_RECEIVED", False),
    ("Purchase order", "PURCHASE_ORDER", True),
    ("Note to the buyer", "ADHOC", True),
)


def channels(call: Call) -> Answer:
    """List the channels that are set up, with their settings."""
    wanted = call.text("source").lower()
    return value(
        [
            {
                **settings_of(channel, place),
                "IsHeaderOnly": False,
                "IsHidden": False,
                "DisplayName": f"{channel.source} {channel.sub_source}".strip(),
                "DynamicProperties": [],
                "PkChannelId": place,
                "Source": channel.source,
                "SourceType": channel.source,
                "SubSource": channel.sub_source,
            }
            for place, channel in enumerate(ref.CHANNELS, 1)
            if wanted in ("", channel.source.lower())
        ]
    )


def currency_rates(call: Call) -> Answer:
    """List how many pounds each currency is worth, or one of them."""
    rates = {land.currency: land.rate for land in ref.COUNTRIES.values()}
    wanted = call.text("currency").upper()
    return value(
        [
            {"Currency": currency, "ConversionRate": rate}
            for currency, rate in sorted(rates.items())
            if wanted in ("", currency)
        ]
    )


def rules(_: Call) -> Answer:
    """List the rules of the rules engine."""
    return value(
        [
            {
                "pkRuleId": place,
                "RuleName": name,
                "RuleType": kind,
                "Enabled": enabled,
                "RunOrder": place,
                "pkRuleId_Draft": 0,
                "Draft": False,
                "RuleTypeDisplayName": kind,
            }
            for place, (name, kind, enabled) in enumerate(_RULES, 1)
        ]
    )


def email_templates(_: Call) -> Answer:
    """List the e-mail templates, without their text."""
    return value(
        [
            {
                "pkEmailTemplateRowId": place,
                "Name": name,
                "TemplateType": kind,
                "IsConditions": False,
                "Condition": "",
                "Enabled": enabled,
                "fkEmailAccountRowId": 1,
                "AccountName": "Shop",
                "AttachPDF": kind == "PURCHASE_ORDER",
                "IsAdhoc": kind == "ADHOC",
                "HTML": True,
            }
            for place, (name, kind, enabled) in enumerate(_TEMPLATES, 1)
        ]
    )


HANDLERS: Final[dict[str, Handler]] = {
    "inventory.GetChannels": channels,
    "inventory.GetChannelsBySource": channels,
    "settings.GetCurrencyConversionRates": currency_rates,
    "rulesengine.GetRules": rules,
    "email.GetEmailTemplates": email_templates,
}
