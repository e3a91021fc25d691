"""Measures rankings: measures, tests of significance, reports."""
