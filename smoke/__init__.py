"""A deployed stack, checked from outside with its outputs alone. It knows nothing of how the stack is made."""
