"""The Lambda side of a function: entry point, config, context and log."""
