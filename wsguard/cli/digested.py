"""What a signature covers, as it was digested: shown part by part, and written to files to be compared."""

import base64
import os
from collections.abc import Sequence
from pathlib import Path

import typer

from wsguard.cli.screen import print_table
from wsguard.explanation import Digested, plain
from wsguard.message.lexical import local_name


def print_digested(parts: Sequence[Digested]) -> None:
    """Print every part with what was expected and what was computed."""
    rows = [
        (
            plain(f"{local_name(part.element)} {part.uri}"),
            ", ".join(part.transforms),
            f"{part.method}, {len(part.octets)} bytes",
            _text(part.expected),
            _text(part.computed),
            "passed" if part.expected == part.computed else "refused",
        )
        for part in parts
    ]
    columns = ("Part", "Transforms", "Digested", "Expected", "Computed", "Outcome")
    print_table("Signed parts", columns, rows, lines=True)


def digested_as_plain(parts: Sequence[Digested]) -> list[dict[str, object]]:
    """The same for programs; the octets only as their number."""
    return [
        {
            "uri": part.uri,
            "element": part.element,
            "transforms": list(part.transforms),
            "method": part.method,
            "bytes": len(part.octets),
            "expected": _text(part.expected),
            "computed": _text(part.computed),
        }
        for part in parts
    ]


def write_digested(parts: Sequence[Digested], directory: Path) -> list[Path]:
    """Write the canonical octets of each part into ``directory``, which is made where it is not there.

    Files are for their owner only, as what was encrypted is in them in the clear. One in their place is replaced, and
    never written through.

    Returns:
        the files, ``01-Body.xml`` and so on.

    Raises:
        typer.BadParameter: they cannot be written.
    """
    files = [directory / f"{number:02}-{_file_name(part)}.xml" for number, part in enumerate(parts, 1)]
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        for file, part in zip(files, parts, strict=True):
            _replace(file, part.octets)
    except OSError as error:
        raise typer.BadParameter(f"{directory}: {error.strerror}", param_hint="--octets") from error
    return files


def _replace(file: Path, octets: bytes) -> None:
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
        opened.write(octets)


def _file_name(part: Digested) -> str:
    name = local_name(part.element)[:40]
    return name if name.isascii() and name.isalnum() else "part"


def _text(octets: bytes) -> str:
    return base64.b64encode(octets).decode("ascii")
