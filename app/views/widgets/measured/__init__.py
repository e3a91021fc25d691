"""What is measured, as the pages that measure show it: the last result, every query, and a report to download."""
