"""What people judged: grades, their agreement, their files, and queries that are never trained on."""
