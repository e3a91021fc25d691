"""Page file of Indexes; says so while the heavy libraries are imported for the first time."""

import streamlit as st

with st.spinner("Starting …"):
    from app.access import read_only
    from app.views.indexes import render

render(read_only=read_only())
