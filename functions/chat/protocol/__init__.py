"""The wire protocol: parsing and building frames, error codes, rules for text. Reference: docs/protocol.md."""
