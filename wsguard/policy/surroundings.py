"""What is the same for every service: stores, HTTP, limits, keys, faults, audit."""

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from wsguard.policy.values import Count, File, Name, PositiveSeconds, Seconds, Section, Switch, Text, Url, at_most_one


class Location(Section):
    """A section with one store: ``url``, or ``url_env`` or ``url_file`` where the URL itself is a secret."""

    url: Url = ""
    """Where the store is."""
    url_env: Text = ""
    """Environment variable that holds the URL."""
    url_file: File | None = None
    """File that holds the URL."""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        at_most_one(self, "url", "url_env", "url_file")
        return self


class Users(Location):
    """``[users]``: the user table."""

    url: Url = "sqlite:///wsguard-users.db"
    """toml:FILE, memory://, sqlite:///FILE or any SQLAlchemy URL."""
    master_key_env: Text = "WSGUARD_MASTER_KEY"
    """Environment variable with the keys, separated by commas, that encrypt digest secrets at rest."""
    deadline: PositiveSeconds = 3
    """Seconds within which SQLite, or PostgreSQL through psycopg, has answered; otherwise a request is refused."""


class Replay(Location):
    """``[replay]``: where seen nonces and signatures are remembered."""

    url: Url = "sqlite:///wsguard-replay.db"
    """memory://, sqlite:///FILE, redis://…, rediss://… (also +unix, +sentinel, +cluster) or postgresql+psycopg://…"""
    deadline: PositiveSeconds = 3
    """Seconds within which the store has answered, connecting included; otherwise a request is refused."""
    keep: Seconds = 3600
    """Seconds that what was seen is remembered at least. Longer where a message may be taken for longer. So windows can
    be made longer, and a clock can be set back, by as much, and no old message is taken again."""
    key_prefix: Text = "wsguard:"
    """What the names of keys in Redis begin with. Guards that share what was seen have the same."""
    ca_file: File | None = None
    """Authorities that the certificate of a rediss:// server is held against, in PEM; otherwise those of the system."""
    wait_replicas: Annotated[int, Field(strict=True, ge=0, le=100)] = 0
    """Replicas that must have a key too before Redis is believed to keep it; with fewer a request is refused."""
    unsafe_eviction: Switch = False
    """Take a Redis server that throws keys away when its memory is full: what was seen may then be sent again."""


def _several(value: object) -> object:
    return (value,) if isinstance(value, str) else value


class Audit(Section):
    """``[audit]``: where refusals are recorded."""

    url: Annotated[tuple[Url, ...], BeforeValidator(_several), Field(min_length=1)] = ("sqlite:///wsguard-audit.db",)
    """sqlite:///FILE, any SQLAlchemy URL, jsonl:FILE, stderr: or memory://; a list writes to all."""
    url_env: Text = ""
    """Environment variable that holds the URL."""
    url_file: File | None = None
    """File that holds the URL."""
    deadline: PositiveSeconds = 3
    """Seconds within which PostgreSQL has taken a record, connecting included; otherwise on_failure decides."""
    record: Literal["rejected", "all"] = "rejected"
    """Whether accepted messages are recorded too. Exempt and failed ones always are."""
    on_failure: Literal["refuse", "unsafe_continue"] = "refuse"
    """What becomes of a request whose record cannot be written."""
    key_env: Text = ""
    """Environment variable with the key of the chain's macs; empty: they are plain digests, that anybody can make."""
    retention_days: Count = 90
    """Days that records are kept at least; a database loses older ones bit by bit, or by ``wsguard audit purge``."""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        at_most_one(self, "url", "url_env", "url_file")
        return self


class KeyFile(Section):
    """A private key with its certificate."""

    file: File
    """PEM, PKCS#12 or JKS; told apart by content."""
    password_env: Text = ""
    """Environment variable that holds the file's password."""
    password_file: File | None = None
    """File that holds the file's password."""
    alias: Text = ""
    """Entry to use where the file holds several."""

    @model_validator(mode="after")
    def _one_secret(self) -> Self:
        at_most_one(self, "password_env", "password_file")
        return self


class SharedKey(Section):
    """A symmetric key that both sides know."""

    name: Name
    """ds:KeyName that refers to it."""
    key_env: Text = ""
    """Environment variable that holds the key in base64."""
    key_file: File | None = None
    """File that holds the key in base64."""

    @model_validator(mode="after")
    def _one_secret(self) -> Self:
        if not at_most_one(self, "key_env", "key_file"):
            raise ValueError("give key_env or key_file")
        return self


class Keys(Section):
    """``[keys]``: our own keys."""

    decrypt: tuple[KeyFile, ...] = ()
    """Keys that messages may be encrypted for; several during a rotation."""
    sign: KeyFile | None = None
    """Key that answers are signed with."""
    shared: tuple[SharedKey, ...] = ()
    """Symmetric keys."""


Charset = Literal["utf-8", "utf-16", "us-ascii", "iso-8859-1"]


class Http(Section):
    """``[http]``: what HTTP may carry."""

    content_encodings: tuple[Literal["gzip", "deflate"], ...] = ()
    """Content-Encodings taken; inflated within limits.body_bytes."""
    charsets: Annotated[tuple[Charset, ...], Field(min_length=1)] = ("utf-8", "utf-16", "us-ascii", "iso-8859-1")
    """Charsets taken."""


class Faults(Section):
    """``[faults]``: how much a peer is told."""

    detail: Literal["auto", "unified", "standard", "detailed"] = "auto"
    """unified: one code for every refusal; standard: the eight codes of WSS 1.1 §12; detailed: the check's name too.
    auto: unified where there are decryption keys, else standard."""


class Limits(Section):
    """``[limits]``: bounds on what one message may cost."""

    body_bytes: Count = 2_097_152
    """Bytes of a request body, also after inflating."""
    depth: Annotated[int, Field(strict=True, ge=3, le=200)] = 64
    """Nesting of elements; libxml2's own bound is 256."""
    elements: Count = 50_000
    """Elements in a message."""
    memory_bytes: Count = 25_165_824
    """Memory that a message may take, judged by what it is made of before it is parsed; at least 8 times body_bytes."""
    attributes_per_element: Count = 100
    """Attributes of one element."""
    namespaces: Count = 64
    """Namespaces in scope at one element; canonicalization is cubic in them."""
    prefix_list: Count = 32
    """Prefixes in one InclusiveNamespaces."""
    references: Count = 30
    """References in the signatures of a message."""
    encrypted_keys: Count = 4
    """Encrypted keys in a message."""
    encrypted_data: Count = 16
    """Encrypted parts in a message."""
    response_bytes: Count = 16_777_216
    """Bytes of an answer that is to be secured."""
