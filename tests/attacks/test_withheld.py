"""L: an answer that cannot be secured for its client is not sent, though the application gave one."""

from tests.answers.answering import SECRET
from tests.attacks.places import Making
from tests.guard_encryption.sealing import signed_then_encrypted


def test_an_answer_that_nobody_could_open_is_withheld(make: Making) -> None:
    """Alice's key is on a curve: nothing can be encrypted for it."""
    place = make("answering")
    answer = place.post(signed_then_encrypted())
    assert (answer.status[:3], answer.check) == ("500", "response.not_secured")
    assert len(place.echo.handed) == 1
    assert SECRET not in answer.body.decode()
    assert answer.record is not None
    assert (answer.record.outcome, SECRET in repr(answer.record)) == ("error", False)
