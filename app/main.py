"""The app: names its pages and runs the chosen one. Start it: python -m streamlit run app/main.py."""

from pathlib import Path

import streamlit as st

st.set_page_config(page_title="Second Look", page_icon=str(Path(__file__).with_name("icon.svg")), layout="wide")
st.navigation([st.Page("views/search_page.py", title="Search", icon=":material/search:", default=True)]).run()
