"""What one message may cost: how many keys and parts it has, and how often it is parsed anew."""

import pytest

from tests.message.refusing import refused
from wsguard.encryption.reading import PARSES, SMALL_MESSAGES, Budget
from wsguard.faults import MessageFault
from wsguard.policy.surroundings import Limits

LARGE = SMALL_MESSAGES * 4


@pytest.fixture
def budget() -> Budget:
    """Takes three keys and five parts."""
    return Budget(Limits(encrypted_keys=3, encrypted_data=5))


def test_as_many_keys_as_may_be_are_taken_one_by_one(budget: Budget) -> None:
    for _ in range(3):
        budget.take_key()
    with refused("limits.encrypted_keys", MessageFault) as caught:
        budget.take_key()
    assert caught.value.setting == "limits.encrypted_keys"


def test_as_many_parts_as_may_be_are_taken(budget: Budget) -> None:
    for count in (2, 0, 3):
        budget.take_data(count)
    with refused("limits.encrypted_data", MessageFault) as caught:
        budget.take_data(1)
    assert caught.value.setting == "limits.encrypted_data"


def test_a_large_message_is_parsed_anew_three_times(budget: Budget) -> None:
    for _ in range(PARSES):
        budget.take_octets(LARGE)
    with refused("limits.encrypted_data", MessageFault) as caught:
        budget.take_octets(LARGE)
    assert caught.value.setting == "limits.encrypted_data"


def test_a_small_message_is_parsed_anew_until_its_octets_are_spent(budget: Budget) -> None:
    for _ in range(PARSES + 4):
        budget.take_octets(SMALL_MESSAGES // 4)
    with refused("limits.encrypted_data", MessageFault):
        budget.take_octets(1)


def test_what_grew_while_it_was_opened_is_counted_as_it_is(budget: Budget) -> None:
    budget.take_octets(LARGE)
    budget.take_octets(2 * LARGE + SMALL_MESSAGES)
    with refused("limits.encrypted_data", MessageFault):
        budget.take_octets(1)
