"""Bars in a terminal: each of several parts, told apart by colour and by sign."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.text import Text

from wsguard.cli.screen import printable

_SIGNS: Final = "█▓▒░▚▞■"
_PLAIN_SIGNS: Final = "#*+=o%x"
"""For terminals that know no more than ASCII."""
_COLOURS: Final = ("red", "yellow", "cyan", "magenta", "blue", "green", "white")
_LEAST_WIDTH: Final = 10


def print_bars(title: str, parts: Sequence[str], bars: Sequence[tuple[str, Counter[str]]]) -> None:
    """Print a bar for each label, as long as its parts together, and a legend.

    Args:
        title: above.
        parts: names of the parts in their order, seven at most; those that are nowhere are left out.
        bars: labels with the size of each part.
    """
    console = Console(highlight=False)
    present = [part for part in parts if any(sizes[part] for _, sizes in bars)]
    console.print(Text(title, style="bold"))
    width = max(_LEAST_WIDTH, console.width - max(len(label) for label, _ in bars) - 10)
    longest = max(sizes.total() for _, sizes in bars)
    for label, sizes in bars:
        line = Text(f"{label}  ", no_wrap=True, overflow="crop")
        line.append_text(_bar(console, present, sizes, width / max(longest, 1)))
        line.append(f" {sizes.total()}" if sizes.total() else "")
        console.print(line)
    legend = Text("  ").join(_sign(console, place) + Text(f" {printable(part)}") for place, part in enumerate(present))
    console.print(legend)


def _bar(console: Console, parts: Sequence[str], sizes: Counter[str], scale: float) -> Text:
    """Parts are rounded where they end, so that the whole is right; one that is there is never invisible."""
    bar, end = Text(), 0.0
    for place, part in enumerate(parts):
        if sizes[part]:
            end += sizes[part] * scale
            bar.append_text(_sign(console, place, max(1, round(end) - len(bar))))
    return bar


def _sign(console: Console, place: int, times: int = 1) -> Text:
    signs = _SIGNS if console.encoding.startswith("utf") else _PLAIN_SIGNS
    return Text(signs[place] * times, style=_COLOURS[place])
