"""Page file of Compare; says so while the heavy libraries are imported for the first time."""

import streamlit as st

with st.spinner("Starting …"):
    from app.views.compare.view import render

render()
