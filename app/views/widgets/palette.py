"""Colors of movement and time in charts: mid-tones that are readable on light and dark backgrounds."""

UP = "#12937a"
DOWN = "#d0702a"
SAME = "#8b91a3"
BAR = "#7d88f2"
WORDS = "#8b91a3"
