"""The Indexes page."""
