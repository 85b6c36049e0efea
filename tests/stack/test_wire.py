"""The program as the CLI runs it: in its own process over gRPC, with a fake engine."""

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent import futures
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2, struct_pb2
from google.protobuf.json_format import MessageToDict
from pulumi.runtime import rpc
from pulumi.runtime.mocks import MockCallArgs, MockResourceArgs
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, resource_pb2, resource_pb2_grpc

from local.plan import FakeCloud
from tests.stack.program import ROOT, WITH_EVERYTHING, program

pytestmark = pytest.mark.slow
WARNING = 2
# What the CLI's language host does with the addresses that it receives.
HOST = """
import asyncio, os, runpy, sys, pulumi.runtime
from pulumi.runtime import settings, stack
here = os.getcwd()
sys.path.insert(0, here)
pulumi.runtime.configure(settings.Settings(
    monitor=sys.argv[1], engine=sys.argv[1], project="serverless-chat", stack="dev", parallel=16,
    dry_run=sys.argv[2] == "preview", organization="organization", root_directory=here))
asyncio.new_event_loop().run_until_complete(stack.run_in_stack(lambda: runpy.run_path(".", run_name="__main__")))
"""


class Engine(resource_pb2_grpc.ResourceMonitorServicer, engine_pb2_grpc.EngineServicer):
    """Registers resources; in a preview it adds no outputs."""

    def __init__(self, *, preview: bool) -> None:
        self.preview = preview
        self.cloud = FakeCloud("us-east-1")
        self.registered: list[str] = []
        self.outputs: dict[str, Any] = {}
        self.said: list[str] = []
        self._lock = threading.Lock()

    def SupportsFeature(self, request: Any, context: Any) -> Any:
        return resource_pb2.SupportsFeatureResponse(hasSupport=True)

    def RegisterResource(self, request: Any, context: Any) -> Any:
        with self._lock:
            self.registered.append(f"{request.type} {request.name}")
            urn = f"urn:pulumi:dev::serverless-chat::{request.type}::{request.name}"
            if self.preview or not request.custom:
                return resource_pb2.RegisterResourceResponse(urn=urn, object=request.object)
            asyncio.set_event_loop(asyncio.new_event_loop())
            inputs = rpc.deserialize_properties(request.object)
            asyncio.get_event_loop().close()
            id_, state = self.cloud.new_resource(MockResourceArgs(request.type, request.name, inputs, custom=True))
            whole = struct_pb2.Struct()
            whole.CopyFrom(request.object)
            whole.update({name: value for name, value in state.items() if name not in inputs})
            return resource_pb2.RegisterResourceResponse(urn=urn, id=id_ or "", object=whole)

    def RegisterResourceOutputs(self, request: Any, context: Any) -> Any:
        if "pulumi:pulumi:Stack" in request.urn:
            self.outputs = MessageToDict(request.outputs)
        return empty_pb2.Empty()

    def Invoke(self, request: Any, context: Any) -> Any:
        answer = struct_pb2.Struct()
        answer.update(self.cloud.call(MockCallArgs(request.tok, {}, request.provider)))
        fields: Any = {"return": answer}  # a keyword in Python
        return resource_pb2.ResourceInvokeResponse(**fields)

    def SignalAndWaitForShutdown(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def GetRootResource(self, request: Any, context: Any) -> Any:
        return engine_pb2.GetRootResourceResponse(urn="")

    def SetRootResource(self, request: Any, context: Any) -> Any:
        return engine_pb2.SetRootResourceResponse()

    def Log(self, request: Any, context: Any) -> Any:
        if request.severity >= WARNING:
            self.said.append(request.message)
        return empty_pb2.Empty()


@pytest.fixture(params=["preview", "up"])
def engine(request: pytest.FixtureRequest) -> Iterator[tuple[Engine, str]]:
    served = Engine(preview=request.param == "preview")
    server = grpc.server(futures.ThreadPoolExecutor(16))
    resource_pb2_grpc.add_ResourceMonitorServicer_to_server(served, server)
    engine_pb2_grpc.add_EngineServicer_to_server(served, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield served, f"127.0.0.1:{port}"
    server.stop(None).wait(10)


def run(engine: Engine, address: str, config: dict[str, str]) -> subprocess.CompletedProcess[str]:
    given = {"aws:region": "us-east-1", **{f"serverless-chat:{key}": value for key, value in config.items()}}
    return subprocess.run(
        [sys.executable, "-c", HOST, address, "preview" if engine.preview else "up"],
        cwd=ROOT,
        env={
            **os.environ,
            "PULUMI_CONFIG": json.dumps(given),
            "PULUMI_CONFIG_SECRET_KEYS": '["serverless-chat:alert_email"]',
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


def test_the_cli_previews_and_creates_what_the_mocks_see(engine: tuple[Engine, str]) -> None:
    served, address = engine
    ended = run(served, address, WITH_EVERYTHING)
    assert ended.returncode == 0, ended.stderr
    expected = program(**WITH_EVERYTHING)
    assert sorted(served.registered) == sorted(
        [*(f"{one.type} {one.name}" for one in expected.resources), "pulumi:pulumi:Stack serverless-chat-dev"]
    )
    assert set(served.outputs) == set(expected.outputs)
    if not served.preview:
        assert served.outputs == expected.outputs
    assert served.said == []


def test_the_cli_reports_an_invalid_config_and_creates_nothing(engine: tuple[Engine, str]) -> None:
    served, address = engine
    ended = run(served, address, {"monthly_budget_usd": "0"})
    assert ended.returncode != 0
    assert "Config monthly_budget_usd must be from 1 to 10000, not 0." in ended.stderr
    assert [one for one in served.registered if "pulumi:pulumi:Stack" not in one] == []
