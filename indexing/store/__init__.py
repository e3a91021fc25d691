"""What an index stores of each passage: its text, its id and its tokens."""
