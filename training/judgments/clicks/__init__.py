"""Clicks as judgments: a log in the form of User Behavior Insights, corrected for the places of what was shown."""
