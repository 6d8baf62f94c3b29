"""gSOAP with its wsse plug-in, as a C program that is compiled here; each run of it is one call. See ``client.c``."""

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.interop.pki import Pki
from tests.interop.stacks import BUILD, HERE, Missing, program

SOURCES: Final = HERE / "gsoap"
BUILT: Final = BUILD / "gsoap"
CLIENT: Final = BUILT / "client"
SHARED: Final = Path("/usr/share/gsoap")
FOREIGN: Final = (
    *(SHARED / "plugin" / f"{name}.c" for name in ("wsseapi", "smdevp", "mecevp", "threads")),
    SHARED / "custom" / "struct_timeval.c",
)
"""Of Debian's package gsoap."""
HEADERS: Final = tuple(Path("/usr/include") / name for name in ("stdsoap2.h", "openssl/ssl.h", "zlib.h"))
PACKAGES: Final = (SOURCES / "debian-packages").read_text().split()
REMEDY: Final = f"apt-get install {' '.join(PACKAGES)}"


@dataclass(frozen=True)
class Outcome:
    """What came of one call."""

    text: str = ""
    """Of the answer, where it came and gSOAP found everything that was asked of it."""
    fault: str = ""
    """What gSOAP says where not: the fault that it was sent, or its own."""


class Gsoap:
    """gSOAP, which was prepared."""

    def __init__(self, pki: Pki) -> None:
        self._pki: Final = pki

    def call(
        self,
        url: str,
        text: str,
        *,
        signer: str | None = None,
        username: str | None = None,
        password: str = "",
        cipher: str | None = None,
        soap12: bool = False,
        answer_signed: bool = False,
        answer_encrypted: bool = False,
    ) -> Outcome:
        """What a client gets that calls the service at ``url`` with a Timestamp.

        Args:
            url: of the service.
            text: what is sent to its Echo.
            signer: name of an identity of the test PKI by whom Timestamp, Body and tokens are signed.
            username, password: with a UsernameToken.
            cipher: as ``client.c`` names it; the Body is encrypted for the server.
            soap12: SOAP 1.2.
            answer_signed: whether the answer must be signed under the test CA, Body and Timestamp.
            answer_encrypted: whether it must be encrypted for the signer.
        """
        asked = {
            "key": signer and self._pki.file(signer, "key"),
            "certificate": signer and self._pki.file(signer, "pem"),
            "username": username,
            "password": password,
            "soap": "2" if soap12 else None,
            "recipient": cipher and self._pki.file("server", "pem"),
            "cipher": cipher,
            "authorities": self._pki.file("ca", "pem") if answer_signed else None,
            "opened": "1" if answer_encrypted else None,
        }
        words = [word for name, value in asked.items() if value for word in (name, value)]
        ran = subprocess.run(
            [str(CLIENT), url, text, *words], capture_output=True, encoding="utf-8", errors="replace", timeout=60
        )
        if ran.returncode not in (0, 1):
            raise AssertionError(f"gSOAP's client ended with {ran.returncode}: {ran.stderr}")
        return Outcome(fault=ran.stderr) if ran.returncode else Outcome(ran.stdout)


def prepare() -> None:
    """Generate the stubs and compile our program, unless it is done already.

    Raises:
        Missing: gSOAP, a header or a C compiler is not here.
    """
    soapcpp2, gcc = program("soapcpp2", REMEDY), program("gcc", REMEDY)
    absent = [str(path) for path in (*FOREIGN, *HEADERS) if not path.exists()]
    if absent:
        raise Missing(f"no {', '.join(absent)}: {REMEDY}")
    given = (SOURCES / "client.c", SOURCES / "echo.h", *FOREIGN, *HEADERS)
    if CLIENT.exists() and CLIENT.stat().st_mtime > max(path.stat().st_mtime for path in given):
        return
    BUILT.mkdir(parents=True, exist_ok=True)
    generating = ["-c", "-C", "-L", "-x", *(f"-I{SHARED / name}" for name in ("import", "")), f"-d{BUILT}"]
    _run(soapcpp2, *generating, str(SOURCES / "echo.h"))
    flags = ["-DWITH_OPENSSL", "-DWITH_DOM", "-DWITH_GZIP", "-isystem", str(BUILT), "-isystem", str(SHARED / "plugin")]
    _run(gcc, "-Wall", "-Wextra", "-Werror", *flags, "-c", str(SOURCES / "client.c"), "-o", str(BUILT / "client.o"))
    objects = [str(BUILT / name) for name in ("client.o", "soapC.c", "soapClient.c")]
    libraries = ["-lgsoapssl", "-lssl", "-lcrypto", "-lz"]
    # -w: warnings about foreign sources are nothing that we can cure.
    _run(gcc, "-w", *flags, *objects, *map(str, FOREIGN), *libraries, "-o", str(CLIENT))


def _run(*command: str) -> None:
    ran = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300, check=False)
    if ran.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{ran.stdout}")
