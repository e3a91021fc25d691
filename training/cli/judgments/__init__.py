"""`python -m training judgments`: a file for each pair of its actions."""
