"""Teachers: what scores the passages of examples."""
