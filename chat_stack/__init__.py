"""The chat's stack: its settings, functions, routes, page and monitoring."""
