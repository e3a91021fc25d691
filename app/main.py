"""The app: lists its pages and runs the chosen one. To start: python -m streamlit run app/main.py [-- --read-only]."""

from pathlib import Path

import streamlit as st

from app.environment import read_only
from app.login import offer_logout, signed_in
from app.resources import settle

PAGES_FOR_ALL = [("search", "Search", ":material/search:"), ("compare", "Compare", ":material/compare_arrows:")]
PAGES_FOR_OWNERS = [
    ("teach", "Teach", ":material/school:"),
    ("train", "Train", ":material/model_training:"),
    ("models", "Models", ":material/deployed_code:"),
    ("evaluate", "Evaluate", ":material/monitoring:"),
    ("indexes", "Indexes", ":material/database:"),
]

st.set_page_config(page_title="Second Look", page_icon=str(Path(__file__).with_name("icon.svg")), layout="wide")
if signed_in():
    listed = PAGES_FOR_ALL if read_only() else PAGES_FOR_ALL + PAGES_FOR_OWNERS
    pages = [
        st.Page(f"views/{name}/page.py", title=title, icon=icon, url_path=name, default=name == "search")
        for name, title, icon in listed
    ]
    page = st.navigation(pages, position="top")
    page.run()
    offer_logout()
    settle(page.url_path)
