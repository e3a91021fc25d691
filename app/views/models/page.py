"""The Models page\'s file; shows a spinner while the heavy libraries are imported for the first time."""

import streamlit as st

with st.spinner("Starting …"):
    from app.environment import read_only
    from app.views.models.view import render

render(read_only=read_only())
