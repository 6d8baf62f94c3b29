"""What a Redis URL says, and that one which says something else is refused without quoting it."""

import pytest

from wsguard.databases.redis_url import RedisUrl, is_redis, parsed_redis_url

LOCAL = (("localhost", 6379),)
FINE = [
    ("redis://localhost", RedisUrl(kind="server", tls=False, hosts=LOCAL), "redis://localhost:6379"),
    ("rediss://localhost/", RedisUrl(kind="server", tls=True, hosts=LOCAL), "rediss://localhost:6379"),
    (
        "redis://:p%40ss@[::1]:7000/3",
        RedisUrl(kind="server", tls=False, hosts=(("::1", 7000),), database=3, password="p@ss"),
        "redis://[::1]:7000/3",
    ),
    (
        "rediss://joe:hunter2@cache",
        RedisUrl(kind="server", tls=True, hosts=(("cache", 6379),), username="joe", password="hunter2"),
        "rediss://cache:6379",
    ),
    (
        "redis+unix://joe:hunter2@/run/my%20redis",
        RedisUrl(kind="unix", tls=False, path="/run/my redis", username="joe", password="hunter2"),
        "redis+unix:///run/my redis",
    ),
    (
        "rediss+sentinel://:hunter2@a,b:1/shop/2?sentinel_username=me&sentinel_password=x%26y",
        RedisUrl(
            kind="sentinel",
            tls=True,
            hosts=(("a", 26379), ("b", 1)),
            service="shop",
            database=2,
            password="hunter2",
            sentinel_username="me",
            sentinel_password="x&y",
        ),
        "rediss+sentinel://a:26379,b:1/shop/2",
    ),
    (
        "redis+cluster://a:1,b:2",
        RedisUrl(kind="cluster", tls=False, hosts=(("a", 1), ("b", 2))),
        "redis+cluster://a:1,b:2",
    ),
]


@pytest.mark.parametrize(("url", "parts", "name"), FINE, ids=[name for _, _, name in FINE])
def test_its_parts_are_read_and_its_name_has_no_secret(url: str, parts: RedisUrl, name: str) -> None:
    assert is_redis(url)
    assert parsed_redis_url(url) == parts
    assert parts.name == name
    assert "hunter2" not in f"{parts.name}{parts!r}"
    assert "hunter2" not in parts.without_secrets(f"reason: {parts.password}")


@pytest.mark.parametrize(
    "url",
    [
        "redis://",
        "redis://hunter2@",
        "redis://joe@localhost",
        "redis://localhost:0",
        "redis://localhost:65536",
        "redis://local host",
        "redis://a,b",
        "redis://a/x",
        "redis://a/0/1",
        "redis://a/99999",
        "redis://joe:hun/ter2@a",
        "redis://joe:hun@ter2@a",
        "redis://a#b",
        "rediss://a?ssl_cert_reqs=none",
        "redis://a?db=1",
        "redis+unix://a/b",
        "redis+unix:///",
        "rediss+unix:///b",
        "redis+sentinel://a",
        "redis+sentinel://a/",
        "redis+sentinel://a/shop?password=hunter2",
        "redis+cluster://a/1",
        "redis+cluster://a,",
        "unix:///b",
        "",
    ],
)
def test_what_is_written_otherwise_is_refused_and_not_quoted(url: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        parsed_redis_url(url)
    assert "hunter2" not in str(caught.value)
    assert "redis" in str(caught.value).lower()
