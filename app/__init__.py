"""The Streamlit app: pages over the other rooms, without retrieval or training logic of its own."""
