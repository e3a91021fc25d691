"""Recipes: losses, the rows they take, and trainings in stages."""
