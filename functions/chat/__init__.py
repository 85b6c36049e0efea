"""The code that the functions share: frames, connections, rooms, messages and fan-out."""
