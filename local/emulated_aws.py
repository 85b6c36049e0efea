"""Runs MiniStack in the process that local.emulator starts, patched where AWS is stricter (docs/decisions/0001).

- Requests of web pages and of other users of this machine are refused (local.gate).
- Functions get random credentials.
- /oauth2/revoke ends a refresh token, which MiniStack does only through its API.
- Logs of functions that a WebSocket invokes go to their log groups too, and to the local run.
- A frame that selects a route starting with `$`, or is nested too deeply for Python's JSON parser, takes `$default`.
- Frames have API Gateway's size limits (local.frames).
- Acknowledged writes survive `kill -9`, though MiniStack saves only on a graceful shutdown: a POST to SAVE_PATH saves
  everything, and later DynamoDB writes go to a journal before they are acknowledged.
"""

import argparse
import asyncio
import json
import logging
import os
import secrets
import shutil
import signal
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from hypercorn.asyncio import serve
from hypercorn.config import Config
from ministack import app as ministack
from ministack.core import iam_evaluator, lambda_runtime
from ministack.core.persistence import save_all
from ministack.services import apigateway, dynamodb, lambda_svc, s3, sts

from local.emulator import ACCOUNT, SECRETS_VARIABLE
from local.frames import MAX_MESSAGE_BYTES, limit_frames
from local.gate import REVOKE_PATH, SAVE_PATH, Asgi, Gate, guarded
from local.invocations import Invocation

_WRITES = ("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems")
_OK = 200
_FAILED = 500


def _routed_as_on_aws(evaluate: Callable[[str, str], str]) -> Any:
    def evaluated(expr: str, payload_text: str) -> str:
        try:
            route = evaluate(expr, payload_text)
        except RecursionError:
            return "$default"
        return "$default" if route.startswith("$") else route

    return evaluated


def _random_credentials(config: dict[str, Any]) -> dict[str, str]:
    """Return new credentials for a function's role. MiniStack derives its own from the names of function and role."""
    account = config["FunctionArn"].split(":")[4]
    role = config["Role"].rpartition("/")[2]
    access_key, secret, token = f"ASIA{secrets.token_hex(8).upper()}", secrets.token_hex(20), secrets.token_hex(32)
    session = {
        "Arn": f"arn:aws:sts::{account}:assumed-role/{role}/{config['FunctionName']}",
        "UserId": f"{role}:{config['FunctionName']}",
        "SecretAccessKey": secret,
        "SessionToken": token,
    }
    sts.register_session(access_key, session)
    return {"AWS_ACCESS_KEY_ID": access_key, "AWS_SECRET_ACCESS_KEY": secret, "AWS_SESSION_TOKEN": token}


class _Fault(str):
    """The text of a function's error."""

    __slots__ = ()


def _hiding_errors(invoke: Callable[..., Awaitable[Any]]) -> Any:
    """Wrap a WebSocket invocation so that, as on AWS, clients do not see a function's error."""

    async def hiding_errors(*arguments: Any, **options: Any) -> Any:
        answer = await invoke(*arguments, **options)
        if isinstance(answer, dict) and isinstance(answer.get("body"), _Fault):
            ids = {"connectionId": arguments[5], "requestId": arguments[7]}
            answer["body"] = json.dumps({"message": "Internal server error", **ids})
        return answer

    return hiding_errors


def _logged(invoke: Callable[..., dict[str, Any]], report: Callable[[Invocation], None]) -> Any:
    """Wrap a worker's `invoke` so that it writes to the function's log group and never raises."""
    write = lambda_svc._emit_lambda_logs

    def logged(worker: lambda_runtime.Worker, event: Any, request_id: str, **options: Any) -> dict[str, Any]:
        began = time.monotonic()
        try:
            response = invoke(worker, event, request_id, **options)
        except Exception as error:  # noqa: BLE001 - a worker that cannot start is an error of the function
            response = {"status": "error", "error": str(error)}
        if response.get("status") != "ok":
            response["error"] = _Fault(response.get("error"))
        invocation = Invocation.of(worker.func_name.partition(":")[0], response)
        duration_ms = int((time.monotonic() - began) * 1000)
        write(worker.config, request_id, "\n".join(invocation.lines), bool(invocation.fault), duration_ms)
        report(invocation)
        return response

    return logged


def _reporter(descriptor: int) -> Callable[[Invocation], None]:
    """Return a thread-safe function that writes invocations to a file descriptor, one JSON line each."""
    lock = threading.Lock()

    def report(invocation: Invocation) -> None:
        with lock:
            left = memoryview(f"{invocation.to_json()}\n".encode())
            while left:
                left = left[os.write(descriptor, left) :]

    return report


def _register_root(access_key_id: str, secret_access_key: str) -> None:
    """Give the root user credentials whose signatures are checked. MiniStack does not check those of its root key."""
    session = {"Arn": f"arn:aws:iam::{ACCOUNT}:root", "UserId": ACCOUNT, "SecretAccessKey": secret_access_key}
    sts.register_session(access_key_id, session)


def _is_known_key(access_key: str) -> bool:
    """Return whether this run issued an access key id. MiniStack would also accept `test` and account ids."""
    known = access_key in sts._sessions
    return known or iam_evaluator.find_iam_access_key_account(access_key) is not None


def _has_stage(api: str, stage: str) -> bool:
    owner = apigateway._api_owner(api)
    return owner is not None and stage in apigateway._stages.get_scoped(owner[1], owner[2], api, {})


def _user_pools() -> dict[str, Any]:
    """Return the user pools by id. Importing MiniStack's Cognito takes time, so only its first request does."""
    cognito = sys.modules.get("ministack.services.cognito")
    return {} if cognito is None else dict(cognito._all_pools())


def _pages() -> set[str]:
    """Return the origins of all callback URLs."""
    clients = [client for pool in _user_pools().values() for client in pool["_clients"].values()]
    urls = [urlsplit(url) for client in clients for url in client["CallbackURLs"]]
    return {f"{url.scheme}://{url.netloc}" for url in urls}


def _revoking(app: Asgi) -> Asgi:
    """Wrap an app: serve the revocation endpoint (Amazon Cognito, "The token revocation endpoint")."""

    async def revoking(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or (scope["method"], scope["path"]) != ("POST", REVOKE_PATH):
            await app(scope, receive, send)
            return
        body = b""
        while True:
            event = await receive()
            body += event.get("body", b"")
            if not event.get("more_body"):
                break
        status, error = _revoke(dict(parse_qsl(body.decode(errors="replace"))))
        headers = [(b"content-type", b"application/json"), (b"access-control-allow-origin", b"*")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps({"error": error}).encode() if error else b""})

    return revoking


def _revoke(form: dict[str, str]) -> tuple[int, str]:
    """End the refresh token in a form; return a status and an error code."""
    cognito: Any = sys.modules["ministack.services.cognito"]  # the gate has found a user pool in it
    token, client_id = form.get("token"), form.get("client_id", "")
    if not token:
        return 400, "invalid_request"
    if cognito._find_pool_by_client_id(client_id)[2] is None:
        return 401, "invalid_client"
    claims = cognito._token_claims(token)
    if claims.get("token_use") != "refresh":
        return 400, "unsupported_token_type"
    if claims.get("client_id") == client_id:
        cognito._revoke_token({"Token": token, "ClientId": client_id})
    return _OK, ""


class _Failures(logging.Handler):
    """Collects failures to save, which MiniStack only logs."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())


class _Journal:
    """DynamoDB writes since the last save. All methods run on the event loop."""

    def __init__(self, path: Path, report: Callable[[Invocation], None]) -> None:
        self._report = report
        self._handle = dynamodb.handle_request
        self._file = path.open("a+", encoding="utf-8")
        dynamodb.handle_request = self._journalled

    async def _journalled(self, method: str, path: str, headers: dict, body: bytes, query_params: dict) -> Any:
        answer = await self._handle(method, path, headers, body, query_params)
        target = headers.get("x-amz-target", "")
        if answer[0] == _OK and target.rpartition(".")[2] in _WRITES:
            try:
                self._file.write(json.dumps([target, body.decode()]) + "\n")
                self._file.flush()
            except OSError as error:
                self._report(Invocation("The emulator", [], f"{error.strerror}; a write could not be made durable."))
                raise
        return answer

    async def replay(self) -> None:
        """Repeat the writes since the last save."""
        self._file.seek(0)
        for line in self._file.readlines():
            if line.endswith("\n"):  # an incomplete last line was never acknowledged
                target, body = json.loads(line)
                await self._handle("POST", "/", {"x-amz-target": target}, body.encode(), {})

    def save(self) -> None:
        """Save the state of every service and empty the journal. Raises OSError."""
        failures = _Failures()
        logger = logging.getLogger("persistence")
        logger.addHandler(failures)
        try:
            save_all(ministack._build_persistence_save_dict())
        finally:
            logger.removeHandler(failures)
        if failures.texts:
            raise OSError(failures.texts[0])
        self._file.truncate(0)


def _durable(app: Asgi, journal: _Journal, ready: Callable[[], None]) -> Asgi:
    """Wrap an app: on startup replay the journal and call `ready`; save on a POST to SAVE_PATH."""

    async def durable(scope: Any, receive: Any, send: Any) -> None:
        async def started(event: Any) -> None:
            if event["type"] == "lifespan.startup.complete":
                await journal.replay()
                ready()
            await send(event)

        if scope["type"] == "http" and scope["path"] == SAVE_PATH and scope["method"] == "POST":
            status, body = 204, b""
            try:
                journal.save()
            except OSError as error:
                status, body = _FAILED, str(error).encode()
            await send({"type": "http.response.start", "status": status, "headers": []})
            await send({"type": "http.response.body", "body": body})
        else:
            await app(scope, receive, started if scope["type"] == "lifespan" else send)

    return durable


def _end_with_parent(folder: Path) -> None:
    """When the parent dies, which closes standard input, delete the folder and kill the process group."""
    os.read(0, 1)
    shutil.rmtree(folder, ignore_errors=True)
    os.killpg(0, signal.SIGKILL)  # the functions' workers are in the group


def main() -> None:
    """Serve until the parent process ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--socket", type=int, required=True, help="file descriptor of the listening socket")
    parser.add_argument("--port", type=int, required=True, help="its port number")
    parser.add_argument("--ready", type=int, required=True, help="file descriptor to write to once serving")
    parser.add_argument("--invocations", type=int, required=True, help="file descriptor to write invocations to")
    parser.add_argument("--folder", type=Path, required=True, help="folder to delete when the parent dies")
    options = parser.parse_args()
    threading.Thread(target=_end_with_parent, args=(options.folder,), daemon=True).start()
    apigateway._invoke_ws_lambda = _hiding_errors(apigateway._invoke_ws_lambda)
    apigateway._evaluate_route_selection = _routed_as_on_aws(apigateway._evaluate_route_selection)
    lambda_runtime.execution_credentials = lambda_svc.execution_credentials = _random_credentials
    report = _reporter(options.invocations)
    lambda_runtime.Worker.invoke = _logged(lambda_runtime.Worker.invoke, report)
    lambda_svc._emit_lambda_logs = lambda *_, **__: None  # _logged has already logged the invocation
    limit_frames()
    # Functions inherit the environment: remove the secrets, and replace MiniStack's root key with an unknown one.
    given = json.loads(os.environ.pop(SECRETS_VARIABLE))
    os.environ |= {"AWS_ACCESS_KEY_ID": secrets.token_hex(10), "AWS_SECRET_ACCESS_KEY": secrets.token_hex(20)}

    def ready() -> None:
        _register_root(given["access_key_id"], given["secret_access_key"])
        os.write(options.ready, b"\n")

    gate = Gate(
        port=options.port,
        token=given["token"],
        is_known_key=_is_known_key,
        is_bucket=lambda name: s3._bucket_owner_account(name) is not None,
        has_stage=_has_stage,
        has_pool=lambda pool_id: pool_id in _user_pools(),
        pages=_pages,
    )
    app = guarded(_durable(_revoking(ministack.app), _Journal(options.folder / "journal", report), ready), gate)
    config = Config()
    config.websocket_max_message_size = MAX_MESSAGE_BYTES
    config.bind = [f"fd://{options.socket}"]
    config.keep_alive_timeout = 75
    config.loglevel = "WARNING"
    # No graceful shutdown: it would wait for open sockets and save what the journal already has.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    asyncio.run(serve(app, config, shutdown_trigger=asyncio.Event().wait))  # type: ignore[arg-type] - Hypercorn's type is narrower than ASGI


if __name__ == "__main__":
    main()
