"""The fan-out engine: posts frames to connections through API Gateway's @connections endpoint."""
