"""One object for all threads and tasks: each answer is held against the request of its own thread or task."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

from lxml import etree
from lxml.etree import _Element

from tests.client.echo import answer, enveloped
from tests.client.exchanging import Exchange
from tests.client.serving import Live
from tests.messages import DS, PAYLOAD
from wsguard.client import AnswerRefused

THREADS, CALLS = 8, 10


def test_eight_threads_share_one(service: Live) -> None:
    security = service.security()
    together = threading.Barrier(THREADS)

    def call(thread: int) -> list[str]:
        client = service.client(security)
        together.wait()
        return [client.echo(f"{thread}-{number}") for number in range(CALLS)]

    with ThreadPoolExecutor(THREADS) as pool:
        answered = list(pool.map(call, range(THREADS)))
    assert answered == [[f"{thread}-{number}" for number in range(CALLS)] for thread in range(THREADS)]


def test_the_answer_of_another_thread_is_refused() -> None:
    exchange = Exchange()
    octets = exchange.answer()
    found: list[AnswerRefused] = []
    thread = threading.Thread(target=lambda: found.append(exchange.refused(octets)))
    thread.start()
    thread.join()
    assert found[0].seen == "no request that waits for one in this thread or task"
    exchange.verify(octets)


def test_tasks_take_turns() -> None:
    exchange = Exchange()

    async def call(text: str) -> str | None:
        request, _ = exchange.security.apply(etree.fromstring(enveloped(PAYLOAD)), {})
        await asyncio.sleep(0.01)
        octets = exchange.answer(enveloped(answer(text)), signature_confirmations=values(request))
        return exchange.verify(octets).findtext(".//{urn:echo}text")

    async def calls() -> list[str | None]:
        return await asyncio.gather(*(asyncio.create_task(call(str(number))) for number in range(5)))

    assert asyncio.run(calls()) == ["0", "1", "2", "3", "4"]


def values(request: _Element) -> tuple[bytes, ...]:
    exchange = Exchange.__new__(Exchange)
    exchange.request = request
    assert request.find(f".//{{{DS}}}SignatureValue") is not None
    return exchange.values
