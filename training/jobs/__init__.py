"""Trainings that outlive the page which started them."""
