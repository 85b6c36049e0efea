"""A Python client for the chat, used by the smoke test, tests and load test. Implements docs/protocol.md."""
