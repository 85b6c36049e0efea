"""What a Lambda function is made of: its entry point, its config, its context and its log."""
