"""The app: names its pages and runs the chosen one. Start it: python -m streamlit run app/main.py [-- --read-only]."""

from pathlib import Path

import streamlit as st

from app.resources import settle
from app.views.widgets.access import offer_logout, read_only, signed_in

EVERYONE = [("search", "Search", ":material/search:"), ("compare", "Compare", ":material/compare_arrows:")]
OWNERS = [
    ("teach", "Teach", ":material/school:"),
    ("train", "Train", ":material/model_training:"),
    ("models", "Models", ":material/deployed_code:"),
    ("evaluate", "Evaluate", ":material/monitoring:"),
    ("indexes", "Indexes", ":material/database:"),
]

st.set_page_config(page_title="Second Look", page_icon=str(Path(__file__).with_name("icon.svg")), layout="wide")
if signed_in():
    shown = EVERYONE if read_only() else EVERYONE + OWNERS
    pages = [
        st.Page(f"views/{name}/page.py", title=title, icon=icon, url_path=name, default=name == "search")
        for name, title, icon in shown
    ]
    page = st.navigation(pages, position="top")
    page.run()
    offer_logout()
    settle(page.url_path)
