"""Storage in DynamoDB: one module per kind of item."""
