import streamlit as st

from xlite import __version__
from xlite.messages import literal
from xlite.models.available import CARD_FILE, model_files

ABOUT = """
X-Lite trains small networks that name 14 findings on frontal chest films, distils them from large ones,
and shows where in the film a finding comes from. It runs on an ordinary computer, without a GPU.

**Not for clinical use.** X-Lite is research software. It is no medical device, has been examined by no
authority, and its output is no diagnosis. Do not use it to decide about a patient.

### What its numbers can and cannot say
- The labels of ChestX-ray14 were mined from reports by software. Radiologists who read 4,376 of the
  films again found a pneumothorax in fewer than half of those labelled with one, and some finding in a
  third of those labelled "No Finding".
- An AUC belongs to its split. NIH's two common test lists differ enough to move the same predictions by
  .02, so every metric here carries the identity of its split, and metrics of different splits are never
  ranked.
- A probability is calibrated for the films the model was validated on. At another hospital, with another
  prevalence, it is only an order.
- A map shows what raised a finding's score. It is coarse (one cell is about 2 % of the film at 224 px),
  it can point beside the finding, and it proves nothing.
- Lateral films, photographs of screens and other parts of the body get probabilities too, and they mean
  nothing. Children were rare among the films these models learnt from.

### Data and thanks
The images behind ChestX-ray14 come from the **NIH Clinical Center**, which asks to be acknowledged.
Please cite Wang X, Peng Y, Lu L, Lu Z, Bagheri M, Summers RM. *ChestX-ray8: Hospital-scale Chest X-ray
Database and Benchmarks on Weakly-Supervised Classification and Localization of Common Thorax Diseases.*
IEEE CVPR 2017, pp. 3462-3471.

The bundled example films are drawn by X-Lite. They show no patient.

### Privacy
This app runs on your computer, and no film leaves it. An uploaded film stays in the memory of its page
and is gone when you close it; nothing read from it is stored.
"""

st.title("About X-Lite")
st.caption(f"Version {__version__}")
st.markdown(ABOUT)
for name, model in list(model_files().items())[:1]:
    card = model.with_name(CARD_FILE)
    st.subheader(f"Model card of {literal(name)}")
    if card.is_file():
        with st.container(border=True):
            # A card may come from elsewhere: its pictures would be fetched from there, so they are links.
            st.markdown(card.read_text(encoding="utf-8", errors="replace").replace("![", "["))
    else:
        st.caption("This model has no card: it is a run of your own.")
