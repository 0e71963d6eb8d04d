"""The Microsoft surfaces of the local provider: tokens, Partner Center and Graph."""
