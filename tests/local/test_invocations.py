"""What is told of a function's run."""

from local.invocations import Invocation

TRACE = """Traceback (most recent call last):
  File "/tmp/worker.py", line 313, in run
  File "/tmp/code/chat/room.py", line 7, in join
KeyError: 'room'
"""
FAULT = '{"event": "fault", "error": "ClientError", "code": "AccessDenied", "at": ["a.py:1", "client.py:9"]}'


def test_what_a_function_writes_is_told_only_if_it_is_asked_for() -> None:
    fine = Invocation.of("Room", {"status": "ok", "log": '{"event":"joined"}\nNaN\n"fault"'})
    assert fine.told(logs=False) == []
    assert fine.told(logs=True) == ['  Room  {"event":"joined"}', "  Room  NaN", '  Room  "fault"']


def test_an_error_that_a_function_raises_is_always_told_with_its_place() -> None:
    raised = Invocation.of("Room", {"status": "error", "log": "before", "error": "'room'", "trace": TRACE})
    assert raised.told(logs=False) == ["  Room failed: KeyError: 'room' (room.py, line 7)"]
    assert raised.lines == ["before", "[ERROR] KeyError: 'room'", *TRACE.splitlines()]


def test_a_function_that_ends_without_a_trace_is_told() -> None:
    late = Invocation.of("Room", {"status": "error", "error": "Task timed out after 29.00 seconds"})
    assert late.told(logs=False) == ["  Room failed: Task timed out after 29.00 seconds"]


def test_a_fault_that_the_chat_itself_caught_is_always_told() -> None:
    caught = Invocation.of("Room", {"status": "ok", "log": f"first\n{FAULT}"})
    assert caught.told(logs=False) == ["  Room failed: ClientError AccessDenied at client.py:9"]


def test_it_goes_from_process_to_process_as_one_line() -> None:
    raised = Invocation.of("Röom", {"status": "error", "log": "a\nb", "error": "c\nd"})
    assert "\n" not in raised.to_json()
    assert Invocation.from_json(raised.to_json()) == raised
