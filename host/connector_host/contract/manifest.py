"""The models of connector.yaml: closed, in the platform's words.

Examples and counter-examples of every model stand in `examples.yaml`; one test runs them all.
"""

from enum import StrEnum
from typing import Any, Literal

from pydantic import Field, field_validator

from . import field_rules
from .action_models import Action
from .closed import (
    Closed,
    HostPattern,
    HttpsLink,
    Key,
    Label,
    Name,
    OperationId,
    RelativePath,
    Ruled,
    Sentence,
    broken_rule,
)
from .date_formats import EXAMPLE as DATE_FORMAT
from .date_formats import is_date_format
from .stream_models import Stream

__all__ = [
    "AccessCheck",
    "Action",
    "AuthenticationMethod",
    "AuthenticationType",
    "BodyFormat",
    "Colour",
    "Credential",
    "HttpMethod",
    "Listing",
    "Manifest",
    "OperationsSection",
    "PermissionsSection",
    "Protocol",
    "RateLimit",
    "RateUnit",
    "Setting",
    "SignIn",
    "SystemType",
    "Variable",
]


class SystemType(StrEnum):
    """What kind of system the connector reaches (the platform's list)."""

    ACCOUNTING = "Accounting"
    CRM = "CRM"
    ECOMMERCE = "eCommerce"
    ERP = "ERP"
    MARKETPLACES = "Marketplaces"
    OTHER = "Other"
    PIM = "PIM"
    POS = "POS"
    THIRD_PARTY_LOGISTICS = "3PL"
    WMS = "WMS"
    DATABASE = "Database"


class Protocol(StrEnum):
    """How the system is reached. The platform knows more; this host speaks HTTP."""

    HTTP = "HTTP"


class RateUnit(StrEnum):
    """Unit of a rate limit."""

    SECOND = "second"
    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"

    @property
    def seconds(self) -> int:
        """Length of the unit."""
        return {"second": 1, "minute": 60, "hour": 3600, "day": 86400}[self.value]


class Colour(StrEnum):
    """Colour of the connector's tile (the platform's list)."""

    BLUE = "blue"
    CYAN = "cyan"
    GRAY = "gray"
    GREEN = "green"
    ORANGE = "orange"
    PINK = "pink"
    PURPLE = "purple"
    RED = "red"
    YELLOW = "yellow"
    BLUE_INVERTED = "blue_inverted"
    CYAN_INVERTED = "cyan_inverted"
    GRAY_INVERTED = "gray_inverted"
    GREEN_INVERTED = "green_inverted"
    ORANGE_INVERTED = "orange_inverted"
    PINK_INVERTED = "pink_inverted"
    PURPLE_INVERTED = "purple_inverted"
    RED_INVERTED = "red_inverted"
    YELLOW_INVERTED = "yellow_inverted"


class HttpMethod(StrEnum):
    """HTTP methods that a request may use."""

    GET = "GET"
    POST = "POST"
    PUT = "PUT"
    PATCH = "PATCH"
    DELETE = "DELETE"


class BodyFormat(StrEnum):
    """How a request's body is written."""

    JSON = "json"
    FORM = "form"


class AuthenticationType(StrEnum):
    """The platform's authentication types, and `none` for open APIs."""

    NONE = "none"
    BASIC = "basic"
    TOKEN = "token"  # noqa: S105 -- the platform's word for a type, not a secret
    OAUTH1 = "oauth1"
    OAUTH2_CLIENT_CREDENTIALS = "oauth2_client_credentials"
    OAUTH2_AUTHORIZATION_CODE = "oauth2_authorization_code"


class RateLimit(Closed):
    """At most `amount` requests in any `unit`; each instance may lower or raise it."""

    amount: int = Field(ge=1, le=1_000_000)
    """How many requests."""
    unit: RateUnit
    """In which length of time."""


class Variable(Ruled):
    """A value that a person gives: a credential or a setting. Used as `{{key}}` in URLs, headers and bodies."""

    key: Key
    """Name of the variable in the manifest and in programs."""
    label: Label
    """Name of the field in forms."""
    alias: str | None = Field(default=None, min_length=1, max_length=128)
    """The vendor's name for it."""
    help: Sentence
    """What it is and where a person finds it."""
    placeholder: str | None = Field(default=None, max_length=128)
    """Shown in an empty field."""
    default: str | int | float | bool | None = None
    """Filled in beforehand; at most 1,024 characters (the platform's limit)."""
    required: bool = True
    """Whether the form can be saved without it."""
    secret: bool = False
    """Masked in forms, encrypted in the store, never shown again."""
    locked: bool = False
    """Shown but not editable; the default is the only value."""
    advanced: bool = False
    """Folded away from regular users."""
    json_schema: dict[str, Any] | None = Field(default=None, alias="schema")
    """JSON Schema of the value, with `x-message` for what a person sees when it does not match."""

    rules = field_rules.VARIABLE


class Credential(Variable):
    """One of an authentication method's values."""


class Setting(Variable):
    """A value of the instance that is no credential, such as an address."""


class SignIn(Closed):
    """The request that opens a session, as data; the auth handler sends it and reads the answer."""

    method: HttpMethod = HttpMethod.POST
    """HTTP method."""
    url: str = Field(pattern=r"^(?:https://|\{\{)\S+$")
    """Address, with `{{variables}}`."""
    operation: OperationId | None = None
    """Id of the same operation in the catalogue, whose quota it takes."""
    headers: dict[str, str] = Field(default_factory=dict)
    """Headers, with `{{variables}}`."""
    body_format: BodyFormat = BodyFormat.JSON
    """How the body is written."""
    body: dict[str, str] = Field(default_factory=dict)
    """Fields of the body, with `{{variables}}`."""
    timeout: float = Field(default=30, gt=0, le=300)
    """Seconds until it is given up."""


class AuthenticationMethod(Ruled):
    """One way to sign in: its credentials, how a session is got, and what is sent with every call."""

    name: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9 _-]{0,63}$")
    """Name that users choose it by."""
    type: AuthenticationType
    """The platform's type."""
    description: Sentence
    """When to use it."""
    help_link: HttpsLink | None = None
    """Page of the vendor that explains it."""
    credentials_schema: RelativePath | None = None
    """File with the JSON Schema of all credentials together; the single source of their rules."""
    credentials: tuple[Credential, ...] = ()
    """In the order of the form."""
    sign_in: SignIn | None = None
    """How a session is got; absent where the credentials themselves go with every call."""
    handler_reads: tuple[Key, ...] = ()
    """Credentials that the auth handler or the host reads by itself, outside any template."""
    headers: dict[str, str] = Field(default_factory=dict)
    """Sent with every call: `{{credential}}` or `{{session.name}}`."""

    rules = field_rules.AUTHENTICATION_METHOD

    def credential(self, key: str) -> Credential:
        """Return the credential with that key. Raises KeyError."""
        for credential in self.credentials:
            if credential.key == key:
                return credential
        raise KeyError(key)

    @property
    def secret_keys(self) -> frozenset[str]:
        """Keys of the credentials that must never be shown."""
        return frozenset(credential.key for credential in self.credentials if credential.secret)


class PermissionsSection(Closed):
    """How the vendor names permissions, and which credential holds those that were granted."""

    credential: Key
    """Key of the credential with the list of granted permissions."""
    prefix: str = ""
    """Start that every node has and people may leave out."""
    suffix: str = ""
    """End that every node has and people may leave out."""
    everything: str = "all"
    """The word for all permissions."""
    known: RelativePath | None = None
    """File with the known nodes: a JSON list of objects with `node` and the number of `operations` that need it."""
    portal_key: str = "permissions"
    """Key of the block that the vendor's portal takes the nodes under."""


class OperationsSection(Closed):
    """Where the catalogue of operations is, and which address each of its bases stands for."""

    catalogue: RelativePath
    """Folder with one OpenAPI 3.1 document per area."""
    addresses: dict[Key, str] = Field(min_length=1)
    """From an operation's base to an address, with `{{setting}}` or `{{session.name}}`."""


class AccessCheck(Closed):
    """A read without side effects that the test of an instance makes, so that a missing permission is seen at once."""

    area: Label
    """What the read belongs to, as users call it."""
    operation: OperationId
    """Id of a read operation, as cheap as there is one."""
    input: dict[str, Any] = Field(default_factory=dict)
    """Its input, for as little as possible."""
    shows: Sentence
    """What a person can do when it succeeds."""


class Listing(Closed):
    """What a marketplace shows beside the header."""

    summary: str = Field(min_length=40, max_length=140)
    """One line on the tile."""
    publisher: Label
    """Who answers for the connector."""
    licence: str = Field(pattern=r"^[A-Za-z0-9.+-]+$")
    """SPDX identifier."""
    support_link: HttpsLink | None = None
    """Where users ask for help."""
    keywords: tuple[Key, ...] = ()
    """Words that people search for."""


class Manifest(Ruled):
    """The whole of connector.yaml."""

    contract: Literal[1]
    """Version of this contract."""
    name: Name
    """Unique among installed connectors."""
    label: Label
    """Name for people."""
    description: Sentence
    """Under the title."""
    version: int = Field(ge=1)
    """Whole number, one more with every published change."""
    version_name: str = Field(pattern=r"^\d+\.\d+\.\d+(?:[.-][0-9A-Za-z.-]+)?$")
    """Version for people; semantic versioning."""
    system_type: SystemType
    """What kind of system it is."""
    protocol: Protocol = Protocol.HTTP
    """How it is reached."""
    date_format: str = Field(default=DATE_FORMAT, min_length=2, max_length=64)
    """How the vendor takes dates in filters: strftime codes, in UTC. Default of every instance."""
    help_link: HttpsLink
    """The vendor's API documentation."""
    icon: RelativePath
    """Square picture: svg, png, jpg or gif, at most 10 MB."""
    colour: Colour
    """Colour of its tile."""
    rate_limit: RateLimit
    """Default of every instance."""
    allowed_hosts: tuple[HostPattern, ...] = Field(min_length=1)
    """The only hosts that a request may go to; `*.example.com` stands for every host below it."""
    settings: tuple[Setting, ...] = ()
    """Values of an instance that are no credentials."""
    authentication: tuple[AuthenticationMethod, ...] = Field(min_length=1)
    """The ways to sign in, the preferred one first."""
    permissions: PermissionsSection | None = None
    """How the vendor names permissions; absent where it has none."""
    operations: OperationsSection
    """The catalogue."""
    streams: tuple[Stream, ...] = ()
    """What can be pulled."""
    actions: tuple[Action, ...] = ()
    """What can be pushed."""
    checks: tuple[AccessCheck, ...] = ()
    """Reads that the test of an instance makes, about one for each area; it skips those that the scope leaves out."""
    listing: Listing
    """What a marketplace shows."""

    @field_validator("date_format")
    @classmethod
    def _date_format_is_full(cls, text: str) -> str:
        if not is_date_format(text):
            raise broken_rule("The date format does not give a full date and time.", f"Write it as {DATE_FORMAT}.")
        return text

    rules = field_rules.MANIFEST

    def method(self, name: str | None = None) -> AuthenticationMethod:
        """Return the authentication method of that name, or the preferred one. Raises KeyError."""
        for method in self.authentication:
            if name in (None, method.name):
                return method
        raise KeyError(name)

    def action(self, name: str) -> Action:
        """Return the action of that name. Raises KeyError."""
        for action in self.actions:
            if action.name == name:
                return action
        raise KeyError(name)

    def stream(self, name: str) -> Stream:
        """Return the stream of that name. Raises KeyError."""
        for stream in self.streams:
            if stream.name == name:
                return stream
        raise KeyError(name)
