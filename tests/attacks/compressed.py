"""G: compressed messages: bombs, several layers, and streams that two programs would read in two ways."""

import gzip
import zlib
from collections.abc import Callable
from typing import Final

from tests.attacks.bombs import filled
from tests.attacks.cases import Built, Chapter, Sent
from tests.attacks.tokens import user, with_token

PACKED: Final = Chapter("G", "packed")


def packed(octets: bytes, encoding: str = "gzip") -> Sent:
    """Octets in an encoding."""
    return Sent(octets=octets, environ={"HTTP_CONTENT_ENCODING": encoding})


GZIP: Final = "decompression bomb, CWE-409"


@PACKED.refused("limits.body_bytes", source=GZIP, isolated=True)
def a_hundred_megabytes_of_blanks_are_compressed() -> Built:
    blanks = zlib.compressobj(1, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    return packed(b"".join((*(blanks.compress(b" " * 2**20) for _ in range(100)), blanks.flush())))


@PACKED.refused("limits.body_bytes", source=GZIP, isolated=True)
def megabytes_of_text_are_deflated() -> Built:
    return packed(zlib.compress(filled("x" * 8_000_000)), "deflate")


@PACKED.refused("limits.elements", source=GZIP)
def elements_are_compressed() -> Built:
    return packed(gzip.compress(filled("<x/>" * 400_000)))


@PACKED.each_refused(
    "http.content_encoding",
    {"twice": "gzip, gzip", "and then said to be itself": "gzip, identity", "many times": ", ".join(["gzip"] * 99)},
    source=GZIP,
)
def a_message_is_compressed(encoding: str) -> Built:
    return packed(gzip.compress(gzip.compress(with_token(user()))), encoding)


@PACKED.each_refused("http.content_encoding", {"br": "br", "zstd": "zstd", "compress": "compress", "any": "*"})
def a_message_is_compressed_as_nobody_takes_it(encoding: str) -> Built:
    return packed(gzip.compress(with_token(user())), encoding)


BROKEN: Final[dict[str, Callable[[bytes], bytes]]] = {
    "a member too many": lambda octets: octets + gzip.compress(b"<evil/>"),
    "an empty member in front": lambda octets: gzip.compress(b"") + octets,
    "octets behind": lambda octets: octets + b"GET / HTTP/1.1",
    "its end cut off": lambda octets: octets[:-9],
    "a wrong checksum": lambda octets: octets[:-8] + bytes(8),
    "nothing in it": lambda octets: b"",
    "a stream of zlib": lambda octets: zlib.compress(gzip.decompress(octets)),
    "the message as it is": gzip.decompress,
}


@PACKED.each_refused("http.content_encoding", BROKEN)
def what_is_said_to_be_compressed_has(change: Callable[[bytes], bytes]) -> Built:
    return packed(change(gzip.compress(with_token(user()))))


@PACKED.refused("envelope.encoding")
def a_compressed_message_is_not_said_to_be() -> Built:
    return gzip.compress(with_token(user()), mtime=0)


@PACKED.refused("http.content_encoding", site="token")
def a_compressed_message_comes_where_none_is_expected() -> Built:
    return packed(gzip.compress(with_token(user())))


EVERY: Final = (*PACKED,)
