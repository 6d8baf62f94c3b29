"""H: references of SOAP encoding, which applications follow after the guard has looked, and arrays that claim much."""

from collections.abc import Callable
from typing import Final

from tests.attacks.calls import call
from tests.attacks.cases import Built, Chapter
from tests.attacks.tokens import user
from tests.messages import envelope, security, timestamp

REFERENCES: Final = Chapter("H", "bank")
GROWTH: Final = Chapter("H", "bank")
FOLLOWED: Final = Chapter("legal", "bank")

PULLED: Final = "spyne resolves href over the whole document (FACTS P3)"
ENCODING: Final = "http://schemas.xmlsoap.org/soap/encoding/"


def sent(body: str, header: str = "", around: str = "") -> bytes:
    """A message to the bank.

    Args:
        around: attributes of the Body.
    """
    octets = envelope(security(timestamp(), user().xml()) + header, body)
    return octets.replace(b"<S:Body>", f"<S:Body{around}>".encode())


def transfer(to: str, more: str = "") -> str:
    """A call that moves money, with this for its receiver."""
    return call("transfer", f"{to}<b:amount>5</b:amount>") + more


def refers(href: str) -> str:
    """A receiver that is somewhere else."""
    return f'<b:to href="{href}"/>'


# --- Where references lead --------------------------------------------------------------------------------------------

OUTSIDE: Final[dict[str, Callable[[], bytes]]] = {
    "a header": lambda: sent(transfer(refers("#i")), '<x:x xmlns:x="urn:x" id="i">eve</x:x>'),
    "a value in a header": lambda: sent(transfer(refers("#i")), '<x:x xmlns:x="urn:x"><y id="i">eve</y></x:x>'),
    "the Timestamp": lambda: sent(transfer(refers("#TS-1"))),
    "the Security header": lambda: sent(transfer(refers("#s"))).replace(b"<wsse:Security ", b'<wsse:Security id="s" '),
    "the Body": lambda: sent(transfer(refers("#i")), around=' id="i"'),
    "the Envelope": lambda: sent(transfer(refers("#i"))).replace(b"<S:Envelope ", b'<S:Envelope id="i" '),
    "nothing": lambda: sent(transfer(refers("#i"))),
    "nothing, without its sign": lambda: sent(transfer(refers("i"), "")).replace(b"<b:amount>", b'<b:amount id="j">'),
    "an Id of another kind": lambda: sent(transfer('<b:to href="#i"/><b:x Id="i">eve</b:x>')),
    "another document": lambda: sent(transfer('<b:to href="http://127.0.0.1:1/#i"/><b:x id="j"/>')),
    "a part of MIME": lambda: sent(transfer('<b:to href="cid:i"/><b:x id="j"/>')),
    "a header, behind a blank": lambda: sent(transfer(refers(" #i")), '<x:x xmlns:x="urn:x" id="i">eve</x:x>'),
    "a header, behind two signs": lambda: sent(transfer(refers("##i")), '<x:x xmlns:x="urn:x" id="i">eve</x:x>'),
    "a header, with a sign inside": lambda: sent(transfer(refers("i#j")), '<x:x xmlns:x="urn:x" id="ij">eve</x:x>'),
    "a header, without its sign": lambda: sent(transfer(refers("i")), '<x:x xmlns:x="urn:x" id="i">eve</x:x>'),
    "a value, from a header": lambda: sent(
        transfer('<b:to id="i">bob</b:to>'), '<x:x xmlns:x="urn:x" href="#i">eve</x:x>'
    ),
}  # fmt: skip


@REFERENCES.each_refused("envelope.structure", OUTSIDE, source=PULLED, isolated=True)
def a_reference_leads_to(make: Callable[[], bytes]) -> Built:
    return make()


CIRCLES: Final[dict[str, str]] = {
    "one value": '<b:to href="#i"/><b:x id="i"><b:y href="#i"/></b:x>',
    "a reference": '<b:x id="i" href="#i"/>',
    "two values": '<b:to href="#i"/><b:x id="i"><b:y href="#j"/></b:x><b:x id="j"><b:y href="#i"/></b:x>',
    "what stands around": '<b:x id="i"><b:y><b:z href="#i"/></b:y></b:x>',
}


@REFERENCES.each_refused("envelope.structure", CIRCLES, source=PULLED, isolated=True)
def references_go_in_a_circle_of(inside: str) -> Built:
    return sent(call("transfer", inside))


@REFERENCES.refused("envelope.structure", source=PULLED, isolated=True)
def an_operation_refers_to_itself() -> Built:
    return sent(call("transfer", refers("#i"), ' id="i"'))


@REFERENCES.each_refused(
    "envelope.duplicate_id",
    {
        "two values": ("id", "id"),
        "an Id beside it": ("id", "Id"),
        "an xml:id beside it": ("id", "xml:id"),
        "an ID of another namespace": ("id", 'xmlns:x="urn:x" x:ID'),
    },
    source=PULLED,
)
def a_reference_leads_to_two_places(names: tuple[str, str]) -> Built:
    one, other = names
    return sent(transfer(f'{refers("#i")}<b:x {one}="i">bob</b:x><b:x {other}="i">eve</b:x>'))


@REFERENCES.each_refused(
    "envelope.structure",
    {
        "that nothing refers to": transfer("<b:to>bob</b:to>", call("transfer", "<b:to>eve</b:to>", ' id="i"')),
        "of another kind of Id": transfer(refers("#i"), '<x Id="i">eve</x>'),
        "without an id": transfer("<b:to>bob</b:to>", "<x>eve</x>"),
    },
    source="SOAP 1.1 §5.1",
)
def beside_the_operation_stands_a_value(body: str) -> Built:
    return sent(body)


@REFERENCES.refused("envelope.structure", source=PULLED)
def a_value_that_is_the_operation_stands_before_it() -> Built:
    return sent('<b:x xmlns:b="urn:bank" id="i">eve</b:x>' + transfer("<b:to>bob</b:to>"))


# --- Growth -----------------------------------------------------------------------------------------------------------


def value(name: str, *hrefs: str) -> str:
    """A value that refers to others."""
    return f'<b:x id="{name}">{"".join(f"""<b:y href="#{href}"/>""" for href in hrefs)}</b:x>'


GROWING: Final[dict[str, Callable[[], str]]] = {
    "each value named ten times": lambda: (
        "".join(value(f"v{i}", *[f"v{i + 1}"] * 10) for i in range(30)) + '<b:x id="v30">lol</b:x>'
    ),
    "a large value named 5,000 times": lambda: f'<b:x id="i">{"x" * 100_000}</b:x>' + '<b:y href="#i"/>' * 5_000,
    "a chain of 200": lambda: "".join(value(f"v{i}", f"v{i + 1}") for i in range(200)) + value("v200"),
    "a chain of 5,000": lambda: "".join(value(f"v{i}", f"v{i + 1}") for i in range(5_000)) + value("v5000"),
    "all values name all": lambda: "".join(value(f"v{i}", *(f"v{j}" for j in range(60))) for i in range(60)),
}


@GROWTH.each_refused("envelope.structure", GROWING, source="billion laughs of SOAP encoding", isolated=True)
def references_grow_where(make: Callable[[], str]) -> Built:
    return sent(call("transfer", f'<b:to href="#v0"/>{make()}'))


@FOLLOWED.accepted(handed="multiRef", source="SOAP 1.1 §5")
def a_value_beside_the_operation_is_referred_to() -> Built:
    return sent(transfer(refers("#i"), '<multiRef id="i">bob</multiRef>'))


@FOLLOWED.each_accepted(
    {
        "two billion members": "string[2147483647]",
        "a billion times a billion": "string[1000000000,1000000000]",
        "less than none": "string[-1]",
        "arrays of arrays": "string[,,,,,,,,][1]",
    },
    handed="hello",
    site="token",
    source="WS-Attacker: SOAP Array Attack",
)
def an_array_claims_and_nobody_makes_room_for(kind: str) -> Built:
    types = f'xmlns:E="{ENCODING}" xmlns:s="http://www.w3.org/2001/XMLSchema" E:arrayType="s:{kind}"'
    array = f'<e:Echo xmlns:e="urn:echo"><e:list {types}><e:item>hello</e:item></e:list></e:Echo>'
    return envelope(security(timestamp(), user().xml()), array)


EVERY: Final = (*REFERENCES, *GROWTH)
LEGAL: Final = (*FOLLOWED,)
