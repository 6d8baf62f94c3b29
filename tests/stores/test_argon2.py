"""What slow hashes promise: the right password alone, and a bound on the work."""

import os
import re
import threading

import pytest
from argon2 import PasswordHasher, Type, extract_parameters

from wsguard.faults import StoreUnavailable
from wsguard.interfaces import PasswordVerifier
from wsguard.stores.argon2_verifier import Argon2Verifier, hash_password

HASH = hash_password(b"s\xc3\xa9cret \0 &")


@pytest.fixture
def verifier() -> Argon2Verifier:
    return Argon2Verifier(wait=0.05)


class TestArgon2Verifier:
    def test_it_is_a_password_verifier(self, verifier: Argon2Verifier) -> None:
        assert isinstance(verifier, PasswordVerifier)

    def test_only_the_password_matches(self, verifier: Argon2Verifier) -> None:
        passwords = [b"s\xc3\xa9cret \0 &", b"s\xc3\xa9cret ", b"", b"secret", HASH.encode(), b"x" * 100_000]
        assert [verifier.matches(HASH, password) for password in passwords] == [True, *[False] * 5]

    def test_two_hashes_of_a_password_differ_and_both_match(self, verifier: Argon2Verifier) -> None:
        other = hash_password(b"s\xc3\xa9cret \0 &")
        assert other != HASH
        assert verifier.matches(other, b"s\xc3\xa9cret \0 &")

    def test_the_stand_in_takes_the_same_work_and_fits_nothing(self, verifier: Argon2Verifier) -> None:
        assert extract_parameters(verifier.stand_in) == extract_parameters(HASH)
        assert len(verifier.stand_in) == len(HASH)
        assert not any(verifier.matches(verifier.stand_in, password) for password in (b"", b"secret"))
        assert verifier.stand_in != Argon2Verifier().stand_in

    def test_a_hash_with_other_costs_still_matches(self, verifier: Argon2Verifier) -> None:
        older = PasswordHasher(time_cost=1, memory_cost=8_192, parallelism=1).hash(b"secret")
        assert verifier.matches(older, b"secret") is True
        assert verifier.matches(older, b"Secret") is False

    @pytest.mark.parametrize(
        "damaged",
        [
            "", "secret", "\ud800", "$argon2id$", HASH[:-1] + "!", HASH.replace("m=65536", "m=1"), "żółw",
            HASH.replace("v=19", "v=x"), PasswordHasher(time_cost=1, memory_cost=64, type=Type.I).hash(b"secret"),
            "$2b$12$KIXQ4bW0p1N8mZ1J5o9V7uQmH0pQ3D1w6n9mS5b1y2c3d4e5f6g7h",
        ],
        ids=range(10),
    )  # fmt: skip
    def test_what_is_no_argon2id_hash_is_unavailable_and_not_quoted(
        self, verifier: Argon2Verifier, damaged: str
    ) -> None:
        with pytest.raises(StoreUnavailable) as caught:
            verifier.matches(damaged, b"secret")
        assert re.match(r"a password hash (is no argon2id hash|cannot be worked out)", caught.value.seen)
        assert caught.value.setting == "users.url"
        assert len(damaged) < 3 or damaged not in caught.value.seen

    def test_more_than_its_places_are_refused_at_once(self, verifier: Argon2Verifier) -> None:
        with verifier._places, verifier._places, pytest.raises(StoreUnavailable) as caught:
            verifier.matches(HASH, b"secret")
        assert caught.value.seen == "2 passwords are being checked, and none was done in 0.05 s"
        assert verifier.matches(HASH, b"secret") is False

    def test_a_place_is_given_back_whatever_came_of_it(self, verifier: Argon2Verifier) -> None:
        for _ in range(3):
            with pytest.raises(StoreUnavailable):
                verifier.matches(HASH.replace("m=65536", "m=1"), b"secret")
            assert verifier.matches(HASH, b"secret") is False
        with verifier._places, verifier._places:
            pass

    def test_no_more_than_its_places_are_at_work(self, monkeypatch: pytest.MonkeyPatch) -> None:
        verifier, at_work, most, lock = Argon2Verifier(2, wait=30.0), 0, 0, threading.Lock()
        start, both = threading.Barrier(8), threading.Barrier(2)

        class Hasher:
            def verify(self, password_hash: str, password: bytes) -> bool:
                nonlocal at_work, most
                with lock:
                    at_work += 1
                    most = max(most, at_work)
                both.wait()
                with lock:
                    at_work -= 1
                return True

        monkeypatch.setattr("wsguard.stores.argon2_verifier._HASHER", Hasher())
        answers: list[bool] = []

        def work() -> None:
            start.wait()
            answers.append(verifier.matches(HASH, b"secret"))

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (most, answers) == (2, [True] * 8)

    def test_a_forked_child_has_all_its_places(self, verifier: Argon2Verifier) -> None:
        with verifier._places, verifier._places:
            child = os.fork()
            if not child:
                status = 99
                try:
                    status = verifier.matches(HASH, b"s\xc3\xa9cret \0 &")
                finally:
                    os._exit(status)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1

    def test_it_needs_a_place(self) -> None:
        with pytest.raises(ValueError, match="most_at_once is 1 or more"):
            Argon2Verifier(0)
