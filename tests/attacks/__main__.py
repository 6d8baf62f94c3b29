"""Send the catalogue to any guard: ``python -m tests.attacks --help``."""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import get_args

from rich.console import Console
from rich.table import Table

from tests.attacks.cases import SiteName
from tests.attacks.catalogue import EVERYTHING
from tests.attacks.running import Result, run, started, wait_for
from tests.attacks.sites import write_sites


def _address(text: str) -> tuple[str, str]:
    site, _, url = text.partition("=")
    if site not in get_args(SiteName) or not url.startswith(("http://", "https://")):
        raise argparse.ArgumentTypeError(f"SITE=URL, with one of {', '.join(get_args(SiteName))}")
    return site, url


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.attacks", description=__doc__)
    parser.add_argument(
        "--material", type=Path, metavar="DIR", help="write keys, certificates, users and policies here"
    )
    parser.add_argument(
        "--to", type=_address, action="append", default=[], metavar="SITE=URL", help="where a guard is that site"
    )
    parser.add_argument(
        "--start", metavar="COMMAND", help="start the guard so; {material} is the directory of its keys"
    )
    parser.add_argument("--wait", type=float, default=60, metavar="SECONDS", help="until the guard listens")
    parser.add_argument("--json", action="store_true", help="one object for each case")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it.

    Returns:
        0, or 1 where an attack was accepted or a legal message was not.
    """
    parser = _parser()
    given = parser.parse_args(arguments)
    if not given.to and (given.start or not given.material):
        parser.error("say where a guard listens: --to SITE=URL")
    with nullcontext(given.material) if given.material else tempfile.TemporaryDirectory() as directory:
        material = Path(directory)
        material.mkdir(parents=True, exist_ok=True)
        write_sites(material)
        if not given.to:
            return 0
        urls = [url for _, url in given.to]
        with started(given.start, material) if given.start else nullcontext() as process:
            try:
                wait_for(urls, given.wait, process)
            except (TimeoutError, ChildProcessError) as error:
                parser.error(str(error))
            results = [result for site, url in given.to for result in run(site, url, EVERYTHING)]
    (_print_json if given.json else _print_table)(results)
    return int(any(result.wrong for result in results))


def _print_json(results: Iterable[Result]) -> None:
    for result in results:
        case = result.case
        shown = {"site": result.site, "class": case.kind, "name": case.name, "source": case.source}
        line = json.dumps({**shown, "verdict": result.verdict, "wrong": result.wrong}, ensure_ascii=False)
        sys.stdout.write(f"{line}\n")


def _print_table(results: Sequence[Result]) -> None:
    console = Console(width=None if sys.stdout.isatty() else 160)
    table = Table("site", "class", "name", "source", "verdict")
    for result in results:
        style = "red" if result.wrong else "green" if result.verdict in ("refused", "accepted") else "yellow"
        case = result.case
        table.add_row(result.site, case.kind, case.name, case.source, f"[{style}]{result.word}[/]")
    console.print(table)
    for site in dict.fromkeys(result.site for result in results):
        console.print(_summary(site, [result for result in results if result.site == site]))


def _summary(site: str, results: Sequence[Result]) -> str:
    attacks = [result for result in results if result.case.check]
    legal = [result for result in results if not result.case.check]
    taken = sum(result.verdict == "accepted" for result in attacks)
    return (
        f"{site}: {sum(result.verdict == 'refused' for result in attacks)} of {len(attacks)} attacks refused, "
        f"{taken} accepted; {sum(result.verdict == 'accepted' for result in legal)} of {len(legal)} legal accepted"
    )


if __name__ == "__main__":
    sys.exit(main())
