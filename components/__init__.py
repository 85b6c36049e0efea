"""Pulumi components for serverless WebSocket applications on AWS (docs/components.md shows how to use them)."""
