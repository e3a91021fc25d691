"""Re-rankers: the protocol, pair encoding, and the cross-encoder."""
