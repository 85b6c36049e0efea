"""Delivery of frames to the members of a room, and removal of gone members."""
