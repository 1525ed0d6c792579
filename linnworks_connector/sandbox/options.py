"""What a sandbox can be told when it starts. Free of the web libraries: the host reads `OPTIONS_SCHEMA` here."""

from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic.json_schema import SkipJsonSchema

from linnworks_connector.sandbox.clock import Clock
from linnworks_connector.sandbox.faults import parse_fault

APPLICATION_ID: Final = "5a4db0c5-0000-4000-8000-00000000a001"
"""The application id a sandbox accepts unless told otherwise."""
APPLICATION_SECRET: Final = "5a4db0c5-0000-4000-8000-0000005ec2e7"  # noqa: S105 - a documented value of the sandbox
"""The application secret a sandbox accepts unless told otherwise."""
INSTALLATION_TOKEN: Final = "5a4db0c5-0000-4000-8000-000000707e90"  # noqa: S105 - a documented value of the sandbox
"""The installation token a sandbox accepts unless told otherwise."""


class SandboxOptions(BaseModel):
    """How big the shop is, how strict the stand-in is, and what it answers wrongly on purpose."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    orders: int = Field(200, ge=0, le=1_000_000, title="Orders", description="How many orders the shop starts with.")
    items: int = Field(
        500,
        ge=1,
        le=1_000_000,
        title="Stock items",
        description="How many stock items the shop has; lists leave out the few that are archived.",
    )
    processed: float = Field(
        0.85, ge=0, le=1, title="Processed share", description="Share of the orders that are already processed."
    )
    seed: int = Field(7, title="Seed", description="The same seed gives the same shop.")
    live: bool = Field(
        default=False,
        title="Live",
        description="Orders arrive, are edited and processed, and stock moves, as time passes.",
    )
    live_rate: float = Field(
        30.0,
        gt=0,
        title="Live events a minute",
        description="How many events a minute happen in a live shop, on average.",
    )
    minute: float = Field(
        60.0,
        gt=0,
        title="Quota minute",
        description="Length in seconds of the minute that quotas count in; shorter is faster.",
    )
    quota: bool = Field(default=True, title="Quota", description="Answer 429 above the rate limit of an operation.")
    quota_body: Literal["object", "text"] = Field(
        "object", title="Quota body", description="Whether a 429 carries a JSON object with a Message or the bare text."
    )
    quota_status: int = Field(
        429,
        ge=400,
        le=599,
        title="Quota status",
        description="The status of an answer above quota; 400 and 500 were seen, too.",
    )
    latency: float = Field(0.0, ge=0, title="Latency", description="Seconds that every answer takes longer.")
    session_idle: float = Field(
        1200.0, gt=0, title="Idle time", description="Seconds without a call after which a session is dead."
    )
    ttl: int | None = Field(
        None, gt=0, title="Session TTL", description="Lifetime of a session in seconds; empty answers TTL null."
    )
    application_id: str = Field(
        APPLICATION_ID, title="Application id", description="The application id that is accepted."
    )
    application_secret: str = Field(
        APPLICATION_SECRET, title="Application secret", description="The application secret that is accepted."
    )
    token: str = Field(INSTALLATION_TOKEN, title="Token", description="The installation token that is accepted.")
    permissions: Literal["all"] | tuple[str, ...] = Field(
        "all",
        title="Permissions",
        description="Permission nodes that are granted; a parent covers its children. `all` grants everything.",
    )
    faults: tuple[str, ...] = Field(
        (),
        title="Faults",
        description="Faults on demand: PATTERN:KIND[:KEY=VALUE...], for example `stock.*:503:times=2`.",
    )
    v2_orders: bool = Field(
        default=True,
        title="Orders v2",
        description="Serve GET /v2/orders; otherwise it answers 404, as a tenant without it.",
    )
    json_noops: bool = Field(
        default=True,
        title="JSON without effect",
        description="Operations that the catalogue calls form-encoded answer 200 to JSON and do nothing.",
    )
    locality: Literal["EU", "US", "AS"] = Field("EU", title="Locality", description="The locality a session names.")
    clock: SkipJsonSchema[Clock | None] = Field(None, exclude=True, repr=False)

    @field_validator("faults")
    @classmethod
    def _faults_are_readable(cls, faults: tuple[str, ...]) -> tuple[str, ...]:
        for text in faults:
            parse_fault(text)
        return faults


def _options_schema() -> dict[str, Any]:
    schema = SandboxOptions.model_json_schema()
    schema["title"] = "Options of the Linnworks sandbox"
    schema["properties"].pop("clock", None)
    return schema


OPTIONS_SCHEMA: Final[dict[str, Any]] = _options_schema()
"""JSON Schema of `SandboxOptions`, with titles and defaults: what a command builds its flags from."""
