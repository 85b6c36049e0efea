"""What a client may ask for: one operation a module, from a parsed frame to an answer."""
