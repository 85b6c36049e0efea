"""Who signed in: checks access tokens of Amazon Cognito with the standard library alone."""
