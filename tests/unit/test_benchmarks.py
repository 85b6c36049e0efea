"""The benchmarks' code, where a mistake would give false figures."""

import json
import select
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

if not hasattr(select, "epoll"):
    pytest.skip("the benchmarks' stubs need Linux", allow_module_level=True)

from benchmarks import report, units
from benchmarks.connections_stub import GONE, LIMIT, OK, Endpoint, endpoint_of
from benchmarks.connections_stub import Limit as AccountLimit
from benchmarks.contention import contention
from benchmarks.costs import WHOLE_CPU_MB, Message
from benchmarks.load import Tally, percentile, summary
from benchmarks.rooms import extrapolated
from benchmarks.scene import Measured, Scene, room
from benchmarks.store_stub import ROOM, Pages, Store
from benchmarks.virtual_time import VirtualTime
from chat.schema import ROOMS

POST = b'{"type":"message"}'


@given(st.integers(1, 2000), st.integers(1, 500), st.lists(st.floats(0, 0.1), min_size=1, max_size=200))
def test_the_account_limit_allows_no_more_than_its_burst_and_rate(
    per_second: int, burst: int, gaps: list[float]
) -> None:
    limit = AccountLimit(per_second, burst, tokens=burst, at=100.0)
    now, taken = 100.0, 0
    for gap in gaps:
        now += gap
        taken += limit.take(now)
    assert taken <= burst + per_second * (now - 100.0) + 1e-6
    assert taken >= min(len(gaps), burst)


def test_the_stub_answers_429_above_the_limit_and_only_then() -> None:
    endpoint = endpoint_of({"per_second": 1000, "burst": 10})
    now = endpoint.limit.at
    answers = [endpoint.answer(b"/production/@connections/h1", POST, now)[0] for _ in range(15)]
    assert answers == [OK] * 10 + [LIMIT] * 5
    assert endpoint.answer(b"/production/@connections/h1", POST, now + 0.0011)[0] == OK
    assert (endpoint.counts()["delivered"], endpoint.counts()["limited"]) == (11, 5)


def test_the_stub_recognises_each_kind_of_peer_by_its_id() -> None:
    endpoint = Endpoint(latency=0.01, slow=2.0, throttled_for=0.3)
    assert endpoint.answer(b"/@connections/g1", POST, 5.0) == (GONE, 0.01)
    assert endpoint.answer(b"/@connections/s1", POST, 5.0) == (OK, 2.0)
    assert endpoint.answer(b"/@connections/t1", POST, 5.0)[0] == LIMIT
    assert endpoint.answer(b"/@connections/t1", POST, 5.2)[0] == LIMIT
    assert endpoint.answer(b"/@connections/t1", POST, 5.4)[0] == OK
    assert endpoint.answer(b"/@connections/h1", POST, 5.0) == (OK, 0.01)
    assert endpoint.counts()["last_healthy"] == 5.01, "the slow one's copy comes later and does not count"
    endpoint.answer(b"/@connections/h1", b'{"type":"presence"}', 9.0)
    assert endpoint.counts()["last_healthy"] == 5.01, "nor do presence frames"


def test_a_room_has_the_requested_shares() -> None:
    kinds = Counter(one[0] for one in room(1000, gone=0.05, slow=0.05, throttled=0.1))
    assert kinds == {"g": 50, "s": 50, "t": 100, "h": 800}
    assert room(1000, gone=0.5)[0].startswith("h"), "the sender is healthy"
    assert len(set(room(1000))) == 1000


@pytest.mark.slow
def test_the_stub_serves_over_tls_with_latency() -> None:
    """A small run of everything: the stubs count exactly the calls of a container."""
    with Scene() as scene:
        scene.fill(room(12), connected=40)
        with scene.container("sendmessage") as container:
            run = scene.send(container, latency=0.02)
    assert (run.delivered, run.limited) == (12, 0)
    assert 0.02 <= run.first <= run.last <= run.wall + 0.02
    assert run.requests == 7, "sender, end; count, row, rows of the id; place; members"
    assert (run.read_units, run.write_units) == (4, 3)


def test_units_follow_dynamodbs_rules() -> None:
    item = {"name": {"S": "abc"}, "seq": {"N": "-12345"}, "joined": {"BOOL": True}, "rooms": {"SS": ["a", "bc"]}}
    assert units.item_bytes(item) == len("name") + 3 + len("seq") + 4 + len("joined") + 1 + len("rooms") + 3
    assert [units.read_units(size, consistent=True) for size in (0, 4096, 4097)] == [1, 1, 2]
    assert [units.read_units(size, consistent=False) for size in (1, 8193)] == [0.5, 1.5]
    assert [units.write_units(size) for size in (1, 1024, 1025)] == [1, 1, 2]


def test_a_query_is_charged_for_the_room_and_a_scan_for_all_connections() -> None:
    small, large = (Store([f"h{n:014d}=" for n in range(size)], 2000, 0) for size in (10, 1000))
    values = {":room": {"S": ROOM}, ":first": {"S": "member#"}, ":last": {"S": "member$"}}
    query = json.dumps({"TableName": ROOMS, "ExpressionAttributeValues": values}).encode()
    for store in (small, large):
        store.answer(b"X-Amz-Target: DynamoDB_20120810.Query", query)
    assert small.read == 1
    assert 20 <= large.read <= 40
    small.begin()
    small.answer(b"x-amz-target: DynamoDB_20120810.Scan", b"{}")
    assert 20 <= small.read <= 40
    assert small.counts()["requests"] == {"Scan": 1}


def test_a_page_holds_a_megabyte_and_no_item_is_lost() -> None:
    items = [{"item": {"S": f"{number:06d}" + "x" * 900}, "name": {"S": "n"}} for number in range(3000)]
    pages = Pages(items)
    found, start, limit, sizes = [], 0, 100, []
    while True:
        body, size = pages.page(start, limit, ("item",))
        page = json.loads(body)
        found += page["Items"]
        sizes.append(size)
        if "LastEvaluatedKey" not in page:
            break
        start, limit = int(page["LastEvaluatedKey"]["connectionId"]["S"]), None
    assert found == [{"item": item["item"]} for item in items]
    assert len(sizes) == 4
    assert max(sizes) <= 1_000_000
    assert sum(sizes) == sum(map(units.item_bytes, items)), "a projection does not reduce the units read"


def test_virtual_time_runs_tasks_in_order_without_real_time() -> None:
    time, seen = VirtualTime(epoch_ms=0), []

    def wait(name: str, seconds: float) -> str:
        time.sleep(seconds)
        seen.append((name, time.now_ms()))
        return name

    def both() -> None:
        seen.append((time.concurrently(lambda: wait("slow", 5), lambda: wait("fast", 3)), time.now_ms()))

    time.start(10, both)
    time.start(1, lambda: wait("early", 1))
    time.run()
    assert seen == [("early", 2000), ("fast", 13_000), ("slow", 15_000), (["slow", "fast"], 15_000)]


def test_contention_is_deterministic_and_below_two_puts_up_to_40_messages_a_second() -> None:
    """docs/decisions/0004 relies on it."""
    calm, rush = contention(150, (40, 300))
    assert [calm] == list(contention(150, (40,)))
    assert calm["puts_a_message"] < 2
    assert calm["busy_share"] == 0
    assert rush["busy_share"] > 0
    assert calm["others"] == rush["others"] == {}, "every message is stored or its sender receives `busy`"


RUN = Measured(
    first=0.05, last=1.04, wall=1.05, cpu=0.2, delivered=100, limited=0, read_units=1, write_units=1, requests=3,
    peak_mb=50, new_sockets=1,
)  # fmt: skip


def test_an_extrapolated_time_continues_at_the_measured_rate() -> None:
    none = replace(RUN, first=0, last=0, wall=0.03, cpu=0.1, delivered=0)
    whole = extrapolated(none, RUN, 1000)
    assert whole.last == pytest.approx(0.05 + 999 * 0.01)
    assert whole.wall == pytest.approx(whole.last + 0.01)
    assert whole.cpu == pytest.approx(0.1 + 1000 * 0.001)
    assert whole.delivered == 1000
    assert extrapolated(none, RUN, 100) == RUN, "complete runs keep their measured time"


def test_a_bill_is_the_sum_of_its_parts() -> None:
    message = Message(recipients=50, wall=0.1, cpu=0.02, memory_mb=1769, read_units=4, write_units=10)
    assert message.seconds == pytest.approx(0.1)
    assert replace(message, memory_mb=885).seconds == pytest.approx(0.08 + 0.04, rel=0.01)
    assert replace(message, memory_mb=3000).seconds == pytest.approx(0.1), "one thread has no use for a second CPU"
    assert {name: round(usd * 1e6, 4) for name, usd in message.usd().items()} == {
        "API Gateway": 51.0,
        "Lambda": round(0.2 + 0.1 * 1769 / 1024 * 13.3334, 4),
        "DynamoDB": 4 * 0.125 + 10 * 0.625,
    }
    free = message.free_a_month()
    assert free["API Gateway messages"] == 1_000_000 // 51
    assert free["DynamoDB writes"] == 25 * 30 * 86400 // 10
    assert free["Lambda GB-seconds"] == int(400_000 / (0.1 * 1769 / 1024))
    assert WHOLE_CPU_MB == 1769


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=50), st.sampled_from([0.5, 0.9, 0.99, 1.0]))
def test_a_percentile_is_the_smallest_value_that_that_share_does_not_exceed(values: list[int], share: float) -> None:
    at = percentile([float(value) for value in values], share)
    assert sum(value <= at for value in values) >= share * len(values) - 1e-9
    assert sum(value < at for value in values) < share * len(values)


def test_lost_and_duplicate_copies_are_counted() -> None:
    tally = Tally(sent={"a": 1.0, "b": 2.0, "never stored": 3.0}, shown=[Counter(), Counter()])
    assert tally.show(0, "a", 1.5)
    assert tally.show(1, "a", 1.6)
    assert not tally.show(1, "a", 1.7), "a second copy"
    assert tally.show(0, "b", 2.1)
    assert not tally.show(0, "somebody else's", 2.2)
    result = summary(tally)
    assert (result["acknowledged"], result["copies_expected"], result["copies_shown"]) == (2, 4, 3)
    assert (result["lost"], result["doubled"]) == (1, 1)
    assert result["max_ms"] == 600


def test_a_table_is_markdown_with_empty_cells_for_missing_values() -> None:
    columns = {"name": lambda row: row["name"], "n": lambda row: row["n"]}
    assert report.table(columns, [{"name": "a", "n": 1234}, {"name": "b"}]).splitlines() == [
        "| name | n     |",
        "|------|-------|",
        "| a    | 1,234 |",
        "| b    |       |",
    ]


def test_saved_results_contain_no_path_of_the_machine(tmp_path: Path) -> None:
    report.save(tmp_path, "rooms", [{"size": 1}], report.machine(), quick=True)
    saved = (tmp_path / "rooms.json").read_text(encoding="utf-8")
    assert json.loads(saved)["rows"] == [{"size": 1}]
    assert str(tmp_path) not in saved
