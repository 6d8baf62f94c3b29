"""F: UsernameTokens that are too old, of the future, or of a time that is none; their digests are right."""

from typing import Final

from tests.attacks.cases import Built, Chapter
from tests.attacks.timestamps import MISSPELLED, Respelling, zone
from tests.attacks.tokens import user, with_token
from tests.messages import stamp

TIMES: Final = Chapter("F", "token")


@TIMES.each_refused("username_token.malformed", MISSPELLED)
def the_token_was_created_at(respelled: Respelling) -> Built:
    return with_token(user(created=respelled(stamp())))


@TIMES.each_refused(
    "username_token.malformed",
    {"a blank in front": lambda honest: " " + honest, "a line feed behind": lambda honest: honest + "\n"},
    source="a digest is over Created as it was sent, a time is not",
)
def the_time_of_the_token_has(respelled: Respelling) -> Built:
    return with_token(user(created=respelled(stamp())))


@TIMES.each_refused("username_token.expired", {"a second": -301.0, "a day": -86_400.0, "years": -1e8})
def the_token_is_too_old_by(seconds: float) -> Built:
    return with_token(user(created=stamp(seconds)))


@TIMES.each_refused("username_token.not_yet_valid", {"a second": 61.5, "two hours": 7_200.0, "years": 1e8})
def the_token_lies_ahead_by(seconds: float) -> Built:
    return with_token(user(created=stamp(seconds)))


@TIMES.refused("username_token.expired")
def the_hour_of_the_token_is_right_and_its_zone_makes_it_14_hours_old() -> Built:
    return with_token(user(created=zone("+14:00")(stamp())))


@TIMES.refused("username_token.not_yet_valid")
def the_hour_of_the_token_is_right_and_its_zone_makes_it_of_tomorrow() -> Built:
    return with_token(user(created=zone("-14:00")(stamp())))


@TIMES.refused("username_token.expired", site="text")
def a_password_in_text_comes_with_a_created_that_is_too_old() -> Built:
    return with_token(user(kind="PasswordText", created=stamp(-301)))


@TIMES.refused("username_token.not_yet_valid", site="text")
def a_password_in_text_comes_with_a_created_of_the_future() -> Built:
    return with_token(user(kind="PasswordText", created=stamp(61.5)))


EVERY: Final = (*TIMES,)
