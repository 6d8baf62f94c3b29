"""Envelopes that are odd and legal: every spelling that XML allows, as a seed has it."""

from random import Random
from typing import Final

from tests.messages import DS, SOAP11, SOAP12
from wsguard.names import XSD, XSI

PREFIXES: Final = ("S", "soap", "SOAP-ENV", "_", "x.y-z", "ü", "wsa")
DECLARED: Final = (
    'xmlns:unused="urn:unused"',
    f'xmlns:xs="{XSD}" xmlns:xsi="{XSI}"',
    f'xmlns:dsig="{DS}"',
    'xmlns:a="urn:one" xmlns:b="urn:one"',
    f'xmlns="{DS}"',
    'xmlns="urn:default"',
    'xml:lang="en"',
    "xml:space='preserve'",
)
"""What may stand on an Envelope, and is not rendered by exclusive canonicalization unless a PrefixList names it."""
TEXTS: Final = (
    "plain",
    " \n\t ",
    "&lt;&amp;&gt;&#x41;",
    "<![CDATA[<not> & markup]]>",
    "one<!-- a comment -->two",
    "grüße",
    "e\u0301\u00a0\u2028",
    "\U0001f600\U00020000",
    "&#13;&#10;&#9;",
    "]]&gt;",
    "a<![CDATA[]]>b",
)
ATTRIBUTES: Final = (
    'plain="it\'s"',
    "quoted='\"'",
    'spaced="&#10;&#9;&#13; x"',
    'xml:lang="de"',
    'xmlns:p="urn:p" p:one="1" a="2" p:a="3"',
    f'xmlns:xs="{XSD}" xmlns:xsi="{XSI}" xsi:type="xs:string"',
    'xmlns="urn:inner"',
    'xmlns=""',
    'xml:space="preserve"',
    'astral="\U0001f600"',
    'empty=""',
)


def document(seed: int) -> bytes:
    """An envelope in UTF-8 that calls ``{urn:echo}Echo``; the same for the same seed."""
    return _Writer(Random(seed)).envelope().encode()


class _Writer:
    """Writes what its random numbers say."""

    def __init__(self, random: Random) -> None:
        self._random: Final = random

    def envelope(self) -> str:
        soap, prefix = self._random.choice((SOAP11, SOAP12)), self._random.choice(PREFIXES)
        declared = " ".join(self._several(DECLARED, once={"xmlns"}))
        header = self._random.choice(("", f"<{prefix}:Header>{self._block()}{self._blank()}</{prefix}:Header>"))
        attributes = self._random.choice(("", ' xml:lang="de"', " xml:space='default'", ' xmlns:late="urn:late"'))
        return (
            f'{self._blank()}<{prefix}:Envelope xmlns:{prefix}="{soap}" {declared}>{self._blank()}'
            f"{header}{self._blank()}<{prefix}:Body{attributes}>{self._blank()}{self._operation()}{self._blank()}"
            f"</{prefix}:Body>{self._blank()}</{prefix}:Envelope>{self._blank()}"
        )

    def _operation(self) -> str:
        content = "".join(self._element(3) for _ in range(self._random.randint(1, 4)))
        prefix = self._random.choice(("", "e:", "wsse:", "ds:"))
        binding = f'xmlns{":" * bool(prefix)}{prefix[:-1]}="urn:echo"'
        return f"<{prefix}Echo {binding}>{content}</{prefix}Echo>"

    def _element(self, depth: int) -> str:
        name = self._random.choice(("text", "Body", "ü", "a.b-c", "Timestamp"))
        attributes = " ".join(self._several(ATTRIBUTES, once={"xmlns", "xml:lang", "xml:space"}))
        inner = [self._random.choice(TEXTS) for _ in range(self._random.randint(0, 2))]
        if depth:
            inner += [self._element(depth - 1) for _ in range(self._random.randint(0, 2))]
        self._random.shuffle(inner)
        return f"<{name} {attributes}>{''.join(inner)}</{name}>" if inner else f"<{name} {attributes}/>"

    def _block(self) -> str:
        return self._random.choice(("", '<h:block xmlns:h="urn:h" h:a="1">x</h:block>', "<block xmlns='urn:h'/>"))

    def _blank(self) -> str:
        return self._random.choice(("", "", "\n  ", "\t", "<!-- - -->"))

    def _several(self, choices: tuple[str, ...], once: set[str]) -> list[str]:
        """Some of ``choices``, none with an attribute of ``once`` that is there already."""
        chosen: list[str] = []
        for choice in self._random.sample(choices, self._random.randint(0, 3)):
            name = choice.partition("=")[0]
            if name not in once or all(other.partition("=")[0] != name for other in chosen):
                chosen.append(choice)
        return chosen
