"""What can be set about a world: how late it delivers, which optional features it has, how it answers."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import fields, replace

REALISTIC = {
    "delay_task": 300.0,
    "delay_order": 4 * 3600.0,
    "delay_readable": 300.0,
    "delay_mail": 1800.0,
    "delay_validation": 600.0,
    "delay_order_list": 900.0,
    "delay_subscription": 120.0,
    "delay_provisioning": 900.0,
    "delay_renewal": 6 * 3600.0,
    "delay_usage_location": 60.0,
    "delay_gdap": 300.0,
}

CHOICES = {
    "busy": ("forbidden", "conflict", "off"),
    "finished_tasks": ("readable", "gone", "listed"),
    "details": ("per-item", "per-seat"),
    "consent": ("given", "required"),
}


class Settings(Struct, frozen=True):
    """The settings of a world; delays are in seconds."""

    delay_task: float = 1.0
    delay_order: float = 3.0
    delay_readable: float = 1.0
    delay_mail: float = 5.0
    batch: bool = True
    expanded: bool = True
    stale: float = 60.0
    busy: str = "forbidden"
    finished_tasks: str = "readable"
    details: str = "per-item"
    business_limit: float = 300.0
    mpn_required: bool = False
    tax: float = 20.0
    rate: float = 0.0
    skew: float = 0.0
    tolerance: float = 300.0
    delay_validation: float = 1.0
    delay_order_list: float = 3.0
    delay_subscription: float = 1.0
    delay_provisioning: float = 3.0
    delay_renewal: float = 5.0
    delay_usage_location: float = 1.0
    delay_gdap: float = 1.0
    catalog_days: float = 30.0
    refresh_days: float = 0.0
    request_memory: float = 86400.0
    etags: bool = True
    keep_schedule: bool = False
    graph_units: float = 0.0
    graph_app_only: bool = True
    gdap_app_only: bool = False
    consent: str = "given"


def changed(settings: Settings, key: str, value: str) -> Settings:
    """Set one setting from text; `delay` sets every delay and `realistic` the real ones."""
    name = key.strip().replace(".", "_").replace("-", "_")
    if name == "realistic":
        real = _flag(key, value)
        return replace(
            settings, **(REALISTIC if real else {each: getattr(Settings(), each) for each in REALISTIC})
        )
    if name == "delay":
        return _with(settings, dict.fromkeys(REALISTIC, _number(key, value)))
    present = {field.name: getattr(settings, field.name) for field in fields(settings)}
    if name not in present:
        raise ValueError(f"{key!r} is no setting; there are: delay, realistic, {', '.join(present)}")
    match present[name]:
        case bool():
            return _with(settings, {name: _flag(key, value)})
        case float():
            return _with(settings, {name: _number(key, value)})
    if value not in CHOICES[name]:
        raise ValueError(f"{key} is one of {', '.join(CHOICES[name])}, not {value!r}")
    return _with(settings, {name: value})


def _with(settings: Settings, values: Mapping[str, Any]) -> Settings:
    return replace(settings, **values)


def _flag(key: str, value: str) -> bool:
    if value.lower() in {"on", "true", "yes", "1"}:
        return True
    if value.lower() in {"off", "false", "no", "0"}:
        return False
    raise ValueError(f"{key} is on or off, not {value!r}")


def _number(key: str, value: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise ValueError(f"{key} is a number, not {value!r}") from None
