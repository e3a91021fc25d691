"""Index builds as background jobs, which continue when the page that started them is closed."""
