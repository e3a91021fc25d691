"""The part of the Teach page that makes judgments of a click log."""
