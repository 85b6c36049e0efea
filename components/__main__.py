"""Entry point of the Pulumi package, which `pulumi package add` and the engine run."""

import importlib.util
import sys
from pathlib import Path

import pulumi.provider


def main() -> None:
    """Serve the package, loaded as `components` because Pulumi downloads it into a folder with another name."""
    here = Path(__file__).resolve().parent
    spec = importlib.util.spec_from_file_location(
        "components", here / "__init__.py", submodule_search_locations=[str(here)]
    )
    assert spec is not None  # noqa: S101 - a path that ends in .py always has one
    sys.modules["components"] = importlib.util.module_from_spec(spec)
    from components.package import ComponentPackage  # noqa: PLC0415 - only now importable

    pulumi.provider.main(ComponentPackage(), sys.argv[1:])


if __name__ == "__main__":
    main()
