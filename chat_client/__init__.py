"""A Python client of the chat, for checks, tests and load: docs/protocol.md is what it speaks."""
