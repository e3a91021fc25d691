"""Parts that at least two pages share."""
