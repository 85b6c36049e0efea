"""Reports of a function's invocation."""

from local.invocations import Invocation

TRACE = """Traceback (most recent call last):
  File "/tmp/worker.py", line 313, in run
  File "/tmp/code/chat/room.py", line 7, in join
KeyError: 'room'
"""
FAULT = '{"event": "fault", "error": "ClientError", "code": "AccessDenied", "at": ["a.py:1", "client.py:9"]}'


def test_a_functions_log_is_reported_only_on_request() -> None:
    fine = Invocation.of("Room", {"status": "ok", "log": '{"event":"joined"}\nNaN\n"fault"'})
    assert fine.report(logs=False) == []
    assert fine.report(logs=True) == ['  Room  {"event":"joined"}', "  Room  NaN", '  Room  "fault"']


def test_an_exception_is_always_reported_with_its_location() -> None:
    raised = Invocation.of("Room", {"status": "error", "log": "before", "error": "'room'", "trace": TRACE})
    assert raised.report(logs=False) == ["  Room failed: KeyError: 'room' (room.py, line 7)"]
    assert raised.lines == ["before", "[ERROR] KeyError: 'room'", *TRACE.splitlines()]


def test_a_timeout_is_reported() -> None:
    late = Invocation.of("Room", {"status": "error", "error": "Task timed out after 29.00 seconds"})
    assert late.report(logs=False) == ["  Room failed: Task timed out after 29.00 seconds"]


def test_a_fault_that_the_function_logged_is_always_reported() -> None:
    caught = Invocation.of("Room", {"status": "ok", "log": f"first\n{FAULT}"})
    assert caught.report(logs=False) == ["  Room failed: ClientError AccessDenied at client.py:9"]


def test_an_invocation_is_serialized_as_one_line() -> None:
    raised = Invocation.of("Röom", {"status": "error", "log": "a\nb", "error": "c\nd"})
    assert "\n" not in raised.to_json()
    assert Invocation.from_json(raised.to_json()) == raised
