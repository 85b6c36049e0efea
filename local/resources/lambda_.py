"""Lambda functions and permissions to invoke them."""

import io
import uuid
import zipfile
from pathlib import Path
from typing import Any

import pulumi

from local.emulator import REGION
from local.resources.resource import Aws, Created, Resource, capitalized


def _create_function(
    aws: Aws,
    *,
    name: str,
    runtime: str,
    architectures: list[str],
    handler: str,
    role: str,
    timeout: int,
    memorySize: int,
    environment: dict[str, Any],
    loggingConfig: dict[str, str],
    code: pulumi.FileArchive,
) -> Created:
    created = aws.client("lambda").create_function(
        FunctionName=name,
        Runtime=runtime,
        Architectures=architectures,
        Handler=handler,
        Role=role,
        Timeout=timeout,
        MemorySize=memorySize,
        Environment={"Variables": environment["variables"]},
        LoggingConfig=capitalized(loggingConfig),
        Code={"ZipFile": _zipped(code)},
    )
    return _function(name, created["FunctionArn"])


def _update_function(
    aws: Aws,
    *,
    name: str,
    architectures: list[str],
    environment: dict[str, Any],
    code: pulumi.FileArchive,
    **configuration: Any,
) -> Created:
    client = aws.client("lambda")
    updated = client.update_function_configuration(
        FunctionName=name, Environment={"Variables": environment["variables"]}, **capitalized(configuration)
    )
    client.update_function_code(FunctionName=name, Architectures=architectures, ZipFile=_zipped(code))
    return _function(name, updated["FunctionArn"])


def _delete_function(aws: Aws, id_: str, _inputs: dict[str, Any]) -> None:
    aws.client("lambda").delete_function(FunctionName=id_)


def _function(name: str, arn: str) -> Created:
    path = f"/2015-03-31/functions/{arn}/invocations"
    invoke_arn = f"arn:aws:apigateway:{REGION}:lambda:path{path}"
    return Created(name, {"arn": arn, "name": name, "invokeArn": invoke_arn})


def _zipped(archive: pulumi.FileArchive) -> bytes:
    folder = Path(archive.path)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                entry = zipfile.ZipInfo(path.relative_to(folder).as_posix())
                entry.external_attr = 0o644 << 16
                packed.writestr(entry, path.read_bytes())
    return content.getvalue()


def _add_permission(aws: Aws, *, function: str, action: str, principal: str, sourceArn: str) -> Created:
    statement = f"s{uuid.uuid4().hex}"
    aws.client("lambda").add_permission(
        FunctionName=function,
        StatementId=statement,
        Action=action,
        Principal=principal,
        SourceArn=sourceArn,
    )
    return Created(statement, {})


def _remove_permission(aws: Aws, id_: str, inputs: dict[str, Any]) -> None:
    aws.client("lambda").remove_permission(FunctionName=inputs["function"], StatementId=id_)


RESOURCES = {
    "aws:lambda/function:Function": Resource(_create_function, _update_function, _delete_function),
    "aws:lambda/permission:Permission": Resource(_add_permission, delete=_remove_permission),
}
