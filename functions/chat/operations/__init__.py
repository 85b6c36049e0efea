"""The operations that clients request, one per module."""
