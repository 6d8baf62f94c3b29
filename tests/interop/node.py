"""node-soap: each run is a process of its own, which calls a service over HTTP. See ``nodesoap/client.js``."""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from typing import Any, Final

from tests.interop.pki import Pki
from tests.interop.stacks import BUILD, HERE, Missing, program

SOURCES: Final = HERE / "nodesoap"
INSTALLED: Final = BUILD / "nodesoap"
PACKAGE: Final = ("package.json", "package-lock.json")
REMEDY: Final = "install Node.js 20.19 or later, with npm"


@dataclass(frozen=True)
class Outcome:
    """What a node-soap client got for a call: the text of the answer, or the fault as it was sent."""

    text: str = ""
    status: int = 200
    fault: str = ""


class NodeSoap:
    """node-soap, which was prepared."""

    def __init__(self, pki: Pki) -> None:
        self._node: Final = program("node", REMEDY)
        self._pki: Final = pki

    def call(
        self,
        url: str,
        *texts: str,
        signer: str = "client",
        username: str | None = None,
        password: str = "",
        token: dict[str, object] | None = None,
        soap12: bool = False,
        **signing: object,
    ) -> list[Outcome]:
        """What one client gets that calls the service at ``url`` for each of ``texts``.

        Args:
            url: of the service.
            texts: what is sent to its Echo.
            signer: name of an identity of the test PKI.
            username, password, token: with a UsernameToken; its options in node-soap's spelling.
            soap12: SOAP 1.2.
            signing: options of WSSecurityCert in node-soap's spelling.
        """
        asked: dict[str, object] = {
            "wsdl": str(SOURCES / "echo.wsdl"),
            "url": url,
            "texts": texts,
            "client": {"forceSoap12Headers": soap12},
            "key": self._pki.file(signer, "key"),
            "certificate": self._pki.file(signer, "pem"),
            "signing": signing,
            "username": username,
            "password": password,
            "token": token or {},
        }
        return [Outcome(**outcome) for outcome in self._run(asked)]

    def _run(self, asked: dict[str, object]) -> list[dict[str, Any]]:
        ran = subprocess.run(
            [self._node, "--no-deprecation", str(SOURCES / "client.js")],
            input=json.dumps(asked),
            stdout=subprocess.PIPE,
            encoding="utf-8",
            env={**os.environ, "NODE_PATH": str(INSTALLED / "node_modules")},
            timeout=60,
            check=True,
        )
        outcomes: list[dict[str, Any]] = json.loads(ran.stdout)
        return outcomes


def prepare() -> None:
    """Have npm fetch node-soap in the version of the lock file, unless it is here already.

    Raises:
        Missing: node or npm is not here, or npm cannot fetch it.
    """
    program("node", REMEDY)
    lock, done = SOURCES / "package-lock.json", INSTALLED / ".done"
    if done.exists() and done.read_bytes() == lock.read_bytes():
        return
    _fetch(program("npm", REMEDY))
    shutil.copyfile(lock, done)


def _fetch(npm: str) -> None:
    INSTALLED.mkdir(parents=True, exist_ok=True)
    for name in PACKAGE:
        shutil.copyfile(SOURCES / name, INSTALLED / name)
    command = [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
    ran = subprocess.run(command, cwd=INSTALLED, capture_output=True, text=True, timeout=300, check=False)
    if ran.returncode:
        reason = " ".join(ran.stderr.split())[:300]
        raise Missing(f"npm ci in {INSTALLED} failed, is its registry in reach? {reason}")
