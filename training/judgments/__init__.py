"""Human judgments: grades, agreement between raters, files of judgments, and queries that are never trained on."""
