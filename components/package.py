"""Serves the components to programs in other languages as a Pulumi package, with a schema derived from their types."""

import inspect
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from types import UnionType
from typing import Any, get_args, get_origin

import pulumi
from pulumi.provider.experimental.analyzer import ComponentDefinition, PropertyDefinition
from pulumi.provider.experimental.component import ComponentProvider
from pulumi.provider.experimental.schema import generate_schema
from pulumi.provider.experimental.util import camel_case

from components.cost_guards import CostGuards
from components.static_site import SiteConfig, StaticSite
from components.websocket_api import WebSocketApi

NAME = "serverless-websocket"
VERSION = "0.0.0"
"""The same as Pulumi's component host; programs choose the version by the tag or path that they add."""
COMPONENTS: Sequence[type[pulumi.ComponentResource]] = (WebSocketApi, StaticSite, SiteConfig, CostGuards)


class ComponentPackage(ComponentProvider):
    """The provider of the package.

    Pulumi's component host does not support dataclasses: it marks every field as required and passes a dict to the
    component. This provider makes fields with defaults optional and passes the args class.
    """

    def __init__(self) -> None:
        super().__init__(list(COMPONENTS), NAME, version=VERSION)
        self._args = {
            component.__name__: inspect.get_annotations(component.__init__)["args"] for component in COMPONENTS
        }
        for name, definition in self._component_defs.items():
            _describe(self._args[name], definition.inputs)
        for type_ in self._type_defs.values():
            if is_dataclass(type_.python_type):
                _describe(type_.python_type, type_.properties)
        schema = generate_schema(NAME, VERSION, None, self._component_defs, self._type_defs, self._dependencies)
        # Generated code appends Args to the names of types.
        self.schema = re.sub(rf"({NAME}:index:\w+)Args\"", r'\1"', json.dumps(schema.to_json()))

    def map_inputs(self, inputs: Any, component_def: ComponentDefinition) -> Any:
        """Convert inputs, keyed by their schema names, to the component's args. Raises InputPropertyError."""
        mapped = super().map_inputs(inputs, component_def)
        return _convert(self._args[component_def.name], mapped, "")


def _describe(args: Any, properties: dict[str, PropertyDefinition]) -> None:
    """Make properties with a default optional, and add the default to their descriptions."""
    for field in fields(args):
        described = properties[camel_case(field.name)]
        description = inspect.cleandoc(described.description or "")
        given = field.default if field.default_factory is MISSING else field.default_factory()
        described.optional = given is not MISSING
        if isinstance(given, (str, int)) and given != "":
            description += f" Default: {json.dumps(given)}."
        described.description = description


def _convert(annotation: Any, value: Any, place: str) -> Any:
    """Convert a value to its annotated type: dicts to dataclasses, and floats from the wire to integers.

    Raises InputPropertyError with the path if an output is given where a plain value is required.
    """
    if get_origin(annotation) is UnionType and type(None) in get_args(annotation):
        annotation = next(member for member in get_args(annotation) if member is not type(None))
    if isinstance(value, pulumi.Output) and (is_dataclass(annotation) or annotation in (str, int, bool)):
        raise pulumi.InputPropertyError(place, "It must be a plain value because resource names depend on it.")
    if is_dataclass(annotation) and isinstance(annotation, type):
        hints = inspect.get_annotations(annotation)
        return annotation(
            **{
                name: _convert(hints[name], given, f"{place}.{camel_case(name)}".lstrip("."))
                for name, given in value.items()
            }
        )
    if get_origin(annotation) is Mapping and isinstance(value, dict):
        item_type = get_args(annotation)[1]
        return {key: _convert(item_type, item, f"{place}.{key}") for key, item in value.items()}
    return int(value) if annotation is int else value
