"""The engine that posts frames to WebSocket connections through API Gateway's @connections endpoint."""
