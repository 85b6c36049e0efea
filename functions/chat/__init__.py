"""What the functions share: frames, connections, rooms, messages, fan-out. It knows nothing of Pulumi or the page."""
