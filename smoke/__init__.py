"""Checks of a deployed stack from outside, with its outputs alone."""
