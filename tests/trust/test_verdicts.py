"""Verdicts are kept while they are true, and only so many of them."""

from concurrent.futures import ThreadPoolExecutor

from cryptography.hazmat.primitives.asymmetric import rsa

from tests.pki import DAY, NOW, self_signed
from wsguard.interfaces import TrustedCertificate
from wsguard.trust.verdicts import Verdict, Verdicts

LEAF = self_signed()


def verdict() -> Verdict:
    assert not isinstance(LEAF.key, rsa.RSAPrivateKey)
    trusted = TrustedCertificate(
        certificate=LEAF.certificate, public_key=LEAF.key.public_key(), subject="", sha256="", identity="", how=""
    )
    return Verdict(trusted, "", NOW, NOW + DAY)


def test_a_verdict_is_good_from_its_beginning_until_before_its_end() -> None:
    verdicts = Verdicts()
    verdicts.put(b"x", kept := verdict())
    assert verdicts.get(b"x", NOW) is kept
    assert verdicts.get(b"x", NOW + DAY) is None
    assert verdicts.get(b"x", NOW - DAY) is None
    assert verdicts.get(b"x", NOW) is kept
    assert verdicts.get(b"y", NOW) is None


def test_the_one_not_asked_for_the_longest_is_forgotten() -> None:
    verdicts = Verdicts(most=2)
    verdicts.put(b"a", verdict())
    verdicts.put(b"b", verdict())
    assert verdicts.get(b"a", NOW)
    verdicts.put(b"c", verdict())
    assert (verdicts.get(b"b", NOW), len(verdicts)) == (None, 2)
    assert verdicts.get(b"a", NOW)


def test_many_threads_may_use_it() -> None:
    verdicts = Verdicts(most=16)

    def work(number: int) -> bool:
        for turn in range(300):
            verdicts.put(bytes([(number * turn) % 64]), verdict())
            verdicts.get(bytes([turn % 64]), NOW)
        return len(verdicts) <= 16

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(8)))
