"""Apache WSS4J, as one Java process for all tests of a run. What it is asked is described in ``wss4j/*.java``."""

import base64
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Final
from urllib.parse import urlencode

from tests.interop.pki import PASSWORD, Pki
from tests.interop.stacks import BUILD, HERE, Missing, program
from wsguard.names import (
    CANONICALIZATION_ALGORITHMS,
    DIGEST_ALGORITHMS,
    ENCRYPTION_ALGORITHMS,
    KEY_TRANSPORT_ALGORITHMS,
    SIGNATURE_ALGORITHMS,
)

SOURCES: Final = HERE / "wss4j"
CLASSES: Final = BUILD / "wss4j"
JARS: Final = tuple(
    Path("/usr/share/java", f"{name}.jar")
    for name in (
        "wss4j", "xmlsec", "commons-logging", "slf4j-api", "slf4j-nop", "commons-codec", "woodstox-core", "stax2-api",
        "bcprov",
    )
)  # fmt: skip
"""Of Debian's packages. Not xalan2, which breaks characters beyond U+FFFF."""
CLASS_PATH: Final = ":".join(map(str, (CLASSES, *JARS)))
PACKAGES: Final = (SOURCES / "debian-packages").read_text().split()
OPTIONS: Final = ("-XX:TieredStopAtLevel=1", "-Dorg.apache.commons.logging.Log=org.apache.commons.logging.impl.NoOpLog")
REMEDY: Final = f"apt-get install default-jdk-headless {' '.join(PACKAGES)}"


class Refused(Exception):
    """WSS4J does not take a message; the text is its fault code and reason."""


@dataclass(frozen=True)
class Opened:
    """A message that WSS4J took."""

    signed: list[str]
    """``{namespace}name`` of each signed element."""
    encrypted: list[str]
    """The same of what was encrypted, or whose content was."""
    envelope: bytes
    """After decryption."""


class Wss4j:
    """A running WSS4J."""

    def __init__(self, process: "subprocess.Popen[str]", pki: Pki) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._requests: Final[IO[str]] = process.stdin
        self._answers: Final[IO[str]] = process.stdout
        self._pki: Final = pki

    def sign(
        self,
        envelope: bytes,
        now: datetime,
        *,
        signer: str = "client",
        identifier: str = "DirectReference",
        signature: str = "rsa-sha256",
        digest: str = "sha256",
        c14n: str = "exc-c14n",
        parts: tuple[str, ...] = ("Body", "Timestamp"),
        **fields: object,
    ) -> bytes:
        """The envelope with a Security header in which ``parts`` are signed.

        Args:
            envelope: in UTF-8.
            now: when it is signed.
            signer: name of an identity of the test PKI.
            identifier: how the certificate is named; ``PKIPath`` is a BinarySecurityToken of the whole chain.
            signature, digest, c14n: short names.
            parts: as in the policy, and STRTransform.
            fields: others that ``Signing.java`` knows; ``ttl`` is 300 seconds unless it is None.
        """
        asked = {
            "envelope": envelope.decode(),
            "now": now.isoformat().replace("+00:00", "Z"),
            "keystore": self._pki.file(signer, "p12"),
            "alias": signer,
            "password": PASSWORD,
            "identifier": identifier,
            "signature": SIGNATURE_ALGORITHMS[signature],
            "digest": DIGEST_ALGORITHMS[digest],
            "c14n": CANONICALIZATION_ALGORITHMS[c14n],
            "part": parts,
            "ttl": 300,
            **fields,
        }
        return self._ask("sign", asked).encode()

    def derive(
        self,
        envelope: bytes,
        now: datetime,
        *,
        key: str = "direct",
        signature: str = "hmac-sha256",
        encrypted: bool = False,
        iterations: int = 1000,
    ) -> bytes:
        """The envelope of alice, who signs Body and Timestamp with a key that is made of her password.

        Args:
            envelope: SOAP 1.1 in UTF-8.
            now: when it is signed.
            key: ``direct``: the key itself; ``derived``: one that is derived from it.
            signature: short name of an HMAC.
            encrypted: whether the Body is encrypted under a derived key, too.
            iterations: how often the password is digested.
        """
        asked = {
            "envelope": envelope.decode(),
            "now": now.isoformat().replace("+00:00", "Z"),
            "username": "alice",
            "secret": "secret",
            "key": key,
            "signature": SIGNATURE_ALGORITHMS[signature],
            "digest": DIGEST_ALGORITHMS["sha256"],
            "encrypted": str(encrypted).lower(),
            "iterations": iterations,
        }
        return self._ask("derive", asked).encode()

    def verify(self, envelope: bytes, *, known: tuple[str, ...] = ("client", "ec"), **fields: object) -> list[str]:
        """The ``{namespace}name`` of each signed element of a message; Timestamps are of any age.

        Args:
            envelope: in UTF-8.
            known: identities that the message may name without carrying their certificate.
            fields: others that ``Verifying.java`` knows.

        Raises:
            Refused: WSS4J does not take it.
        """
        asked = {
            "envelope": envelope.decode(),
            "trust": [self._pki.file("ca", "pem")],
            "known": [self._pki.file(name, "pem") for name in known],
            **fields,
        }
        return self._ask("verify", asked).split("\n")

    def encrypt(
        self,
        envelope: bytes,
        now: datetime,
        *,
        recipient: str = "server",
        identifier: str = "IssuerSerial",
        encryption: str = "aes128-gcm",
        transport: str = "rsa-oaep-mgf1p",
        parts: tuple[str, ...] = ("Body",),
        **fields: object,
    ) -> bytes:
        """The envelope with ``parts`` encrypted for somebody, and an EncryptedKey first of its Security header.

        Args:
            envelope: in UTF-8.
            now: when it is made.
            recipient: name of an identity of the test PKI.
            identifier: how its certificate is named.
            encryption, transport: short names.
            parts: as in the policy; ``Body/Element`` is the whole Body.
            fields: others that ``Encrypting.java`` knows.
        """
        asked = {
            "envelope": envelope.decode(),
            "now": now.isoformat().replace("+00:00", "Z"),
            "identifier": identifier,
            "encryption": ENCRYPTION_ALGORITHMS[encryption],
            "transport": KEY_TRANSPORT_ALGORITHMS[transport],
            "part": parts,
            **self._of(recipient),
            **fields,
        }
        return self._ask("encrypt", asked).encode()

    def open(
        self, envelope: bytes, *, recipient: str = "server", known: tuple[str, ...] = ("client", "ec"), **fields: object
    ) -> Opened:
        """What WSS4J makes of a message that may be signed and encrypted; Timestamps are of any age.

        Args:
            envelope: in UTF-8.
            recipient: name of the identity that opens it.
            known: identities that the message may name without carrying their certificate.
            fields: others that ``Opening.java`` knows.

        Raises:
            Refused: WSS4J does not take it.
        """
        asked = {
            "envelope": envelope.decode(),
            "trust": [self._pki.file("ca", "pem")],
            "known": [self._pki.file(name, "pem") for name in known],
            **self._of(recipient),
            **fields,
        }
        lines, _, text = self._ask("open", asked).partition("\n\n")
        found = [line.split(" ", 1) for line in lines.split("\n") if line]
        words = {word: [name for other, name in found if other == word] for word in ("signed", "encrypted")}
        return Opened(words["signed"], words["encrypted"], text.encode())

    def _of(self, alias: str) -> dict[str, str]:
        return {"keystore": self._pki.file(alias, "p12"), "alias": alias, "password": PASSWORD}

    def _ask(self, operation: str, fields: dict[str, Any]) -> str:
        given = {"operation": operation, **{name: value for name, value in fields.items() if value is not None}}
        self._requests.write(urlencode(given, doseq=True) + "\n")
        self._requests.flush()
        word, _, encoded = self._answers.readline().partition(" ")
        answer = base64.b64decode(encoded).decode()
        if word == "refused":
            raise Refused(answer)
        assert word == "ok", answer or "the Java process is gone; what it said is above"
        return answer


def prepare() -> None:
    """Compile our program, unless it is done already.

    Raises:
        Missing: Java or a jar is not here.
    """
    javac = program("javac", REMEDY)
    absent = [jar.name for jar in JARS if not jar.exists()]
    if absent:
        raise Missing(f"no {', '.join(absent)} in {JARS[0].parent}: {REMEDY}")
    sources, done = sorted(SOURCES.glob("*.java")), CLASSES / ".done"
    if done.exists() and done.stat().st_mtime > max(source.stat().st_mtime for source in sources):
        return
    # -path: manifests of Debian's jars name jars of packages that are only suggested.
    options = ["-Xlint:all,-path", "-Werror", "--release", "17", "-encoding", "UTF-8", "-d", str(CLASSES)]
    subprocess.run([javac, *options, "-cp", CLASS_PATH, *map(str, sources)], check=True)
    done.touch()


@contextmanager
def running(pki: Pki) -> Iterator[Wss4j]:
    """WSS4J until the end of the block; it was prepared."""
    command = [program("java", REMEDY), *OPTIONS, "-cp", CLASS_PATH, "wss4j.Main"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="ascii", bufsize=1
    ) as process:
        yield Wss4j(process, pki)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(10) == 0
