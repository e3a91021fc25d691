"""Races recipes against each other under one budget."""
