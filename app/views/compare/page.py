"""The Compare page\'s file; shows a spinner while the heavy libraries are imported for the first time."""

import streamlit as st

with st.spinner("Starting …"):
    from app.views.compare.view import render

render()
