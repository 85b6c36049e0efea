"""ComponentResources: what a serverless WebSocket application is made of. They know nothing of this chat's code."""
