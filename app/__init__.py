"""Shows it: the Streamlit pages; holds no retrieval and no training logic."""
