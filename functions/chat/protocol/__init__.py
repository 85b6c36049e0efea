"""Frames as they travel: parsing, building, error codes and the rules for text. docs/protocol.md is the reference."""
