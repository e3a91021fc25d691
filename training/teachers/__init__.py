"""Teachers: they score the passages of training examples."""
