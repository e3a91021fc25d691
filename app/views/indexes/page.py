"""Page file of Indexes; says so while the heavy libraries are imported for the first time."""

import streamlit as st

with st.spinner("Starting …"):
    from app.views.indexes.view import render
    from app.views.widgets.access import read_only

render(read_only=read_only())
