"""One training, from its request to a version: inputs, passes, stages and the forecast."""
