"""Runs the whole chat on one machine: an AWS emulator, and a deployer that runs the real Pulumi program against it."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
"""Root of the repository."""
