"""Entry of the app, which `xlite app` starts: the frame around the pages in `pages/`."""

from pathlib import Path

import streamlit as st

from xlite.runs.default_data import default_data

ROOT = Path(__file__).resolve().parents[1]
PAGES = {
    "Read": [
        ("overview", "Overview", ":material/home:"),
        ("classify", "Read a film", ":material/radiology:"),
    ],
    "Train": [
        ("explore", "Explore the data", ":material/query_stats:"),
        ("train", "Train", ":material/model_training:"),
        ("sweeps", "Sweeps", ":material/grid_view:"),
        ("runs", "Runs", ":material/table_rows:"),
        ("results", "Results", ":material/show_chart:"),
    ],
    "Help": [("about", "About", ":material/info:")],
}

# A file of our own: of a named symbol the browser would ask fonts.gstatic.com.
st.set_page_config(page_title="X-Lite", page_icon=str(ROOT / "app" / "icon.svg"), layout="wide")
st.html(ROOT / "app" / "style.css")
page = st.navigation(
    {
        section: [
            st.Page(
                ROOT / "pages" / f"{name}.py",
                title=title,
                icon=icon,
                url_path=name,
                default=name == "overview",
            )
            for name, title, icon in pages
        ]
        for section, pages in PAGES.items()
    },
    expanded=True,
)
if "data" not in st.session_state:
    st.session_state["data"] = default_data()
with st.sidebar:
    st.text_input(
        "Data folder",
        key="data",
        placeholder="/path/to/ChestX-ray14",
        help="A folder in the NIH layout, real or phantom. Make a phantom with `xlite data phantom OUT`.",
    )
    st.caption("Its output is no diagnosis and no medical advice.")
# Above each page's title: on a phone the sidebar is closed, and the foot of a page far away.
st.caption("**Research software, not for clinical use**")
page.run()
