"""Reports to share: one HTML file with tables and plots, which needs no server and loads nothing."""
