"""Inputs from public bug reports: each makes its own input, and checks what must happen with it."""
