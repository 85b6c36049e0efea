"""Pulumi components for serverless WebSocket applications on AWS; see docs/components.md."""
