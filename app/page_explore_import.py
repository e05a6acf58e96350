"""The part of Explore that makes a data folder of another data set: look, correct, import."""

import pandas as pd
import streamlit as st

from xlite.data.importing.kinds import KINDS, POLICIES
from xlite.data.importing.labels import Policy
from xlite.data.importing.options import COLUMNS, NAME, NAMES, UNCERTAIN
from xlite.data.layout import data_roots
from xlite.errors import DataError, XliteError
from xlite.findings import FINDINGS, NO_FINDING, spoken
from xlite.messages import literal, page_sentence
from xlite.public import is_public, refuse_in_public

TITLE = "Import films of another data set"
_POLICIES = dict(zip(POLICIES, ("unknown", "present", "absent"), strict=True))
_NO_COLUMN = "no column"


def show_import() -> None:
    """The form, folded away; nothing on a public server."""
    if is_public():
        return
    if {"import-look", "import-running"} & {*st.session_state}:  # else it folds when the page moves
        st.session_state.setdefault("import-form", True)
    box = st.expander(TITLE, icon=":material/download:", key="import-form", on_change="rerun")
    if not box.open:  # drawn once somebody looks: its fields would cost each visit a part of the first paint
        return
    with box:
        st.caption(
            "It makes a data folder with tables in the NIH layout. Films are linked, not copied; lateral "
            "ones are left out. Labels that a data set does not have stay unknown."
        )
        left, right = st.columns(2)
        kind = left.selectbox("Data set", list(KINDS), format_func=KINDS.__getitem__, key="import-kind")
        name = right.text_input(NAME.field_title, placeholder=kind, key="import-name")
        source = st.text_input("Its folder, or the table of its films", key="import-source")
        said = st.container()  # above the button that was pressed: below it may be out of sight
        if st.button("Look", icon=":material/search:"):
            with said:
                _look(kind, source)
        chosen = _show_look(kind)
        said = st.container()
        pressed = chosen is not None and st.button("Import", type="primary", icon=":material/download:")
        with said:
            if chosen is not None and pressed:
                _start(*chosen, name)
            if "import-running" in st.session_state:
                _show_running()


def _look(kind: str, source: str, roles: dict[str, str] | None = None, names: str = "") -> bool:
    """Keeps what lies there, or says why that cannot be told; whether it can."""
    from xlite.data.importing.preview import preview_of

    st.session_state.pop("import-look", None)
    st.session_state.pop("import-running", None)
    try:
        refuse_in_public("import films")
        with st.spinner("Reading its tables"):
            st.session_state["import-look"] = preview_of(kind, source, roles, names)
    except (XliteError, OSError) as error:
        st.error(page_sentence(error))
        return False
    return True


def _show_look(kind: str) -> tuple[pd.DataFrame, Policy] | None:
    """What was found; its labels as a person corrects them and how they count, None if there are none yet."""
    look = st.session_state.get("import-look")
    if look is None or look.kind != kind:
        return None
    from xlite.data.importing.preview import facts, mapping_table

    if look.columns is not None:
        _ask_columns()
        if kind == "csv" and look.columns.unused:
            st.caption(f"Columns not used: {literal(', '.join(look.columns.unused))}")
    if isinstance(look.found, DataError):
        st.warning(page_sentence(look.found))
        return None
    st.markdown(literal(facts(look.found)))
    for note in look.found.notes:
        st.caption(literal(note))
    table = mapping_table(look.found, look.mapping)
    edited = _ask_mapping(table)
    return edited, _ask_policy(edited)


def _ask_columns() -> None:
    """What the columns of a table mean: as guessed, or as a person says."""
    look = st.session_state["import-look"]
    names = [_NO_COLUMN, *look.columns.header]
    with st.form("import-columns"):
        st.markdown("**Columns** as guessed")
        places = st.columns(3)
        roles = {}
        for number, (role, option) in enumerate(COLUMNS.items()):
            at = names.index(getattr(look.columns, role) or _NO_COLUMN)
            roles[role] = places[number % 3].selectbox(option.field_title, names, index=at)
        at = names.index(look.columns.names or _NO_COLUMN)
        words = st.selectbox(f"{NAMES.field_title} (if not in columns of 0 and 1)", names, index=at)
        if st.form_submit_button("Take these columns"):
            chosen = {role: "" if column == _NO_COLUMN else column for role, column in roles.items()}
            if _look(look.kind, str(look.source), chosen, "" if words == _NO_COLUMN else words):
                st.rerun()


def _ask_mapping(table: pd.DataFrame) -> pd.DataFrame:
    """The labels with their findings, which can be corrected in place."""
    from xlite.data.importing.mapping import spoken_findings
    from xlite.data.importing.preview import NONE, findings_in

    st.markdown("**Labels**: click on a finding to correct it")
    fixed = [column for column in table.columns if column not in ("finding", "blank means")]
    said = dict.fromkeys([*FINDINGS, NO_FINDING, NONE, *table["finding"]])  # several, or one left open
    columns = {
        "finding": st.column_config.SelectboxColumn(
            options=list(said),
            format_func=lambda found: spoken_findings(str(found)),
            required=True,
            width="medium",
        ),
        "blank means": st.column_config.SelectboxColumn(options=["unknown", "0"], required=True),
        "note": st.column_config.TextColumn(width="large"),
    }
    edited: pd.DataFrame = st.data_editor(
        table,
        hide_index=True,
        disabled=fixed,
        column_config=columns,
        key="import-mapping",
        alt="Labels and findings",
    )
    labelled = findings_in(edited)
    lacking = [finding for finding in FINDINGS if finding not in labelled]
    if lacking:
        st.caption(f"Not labelled here: {literal(', '.join(map(spoken, lacking)))}")
    return edited


def _ask_policy(edited: pd.DataFrame) -> Policy:
    """What uncertain labels count as, of all findings and of single ones; not asked if there are none."""
    from xlite.data.importing.preview import findings_in

    some = edited[edited["uncertain"] > 0]
    if some.empty:
        return Policy()
    default = st.segmented_control(
        UNCERTAIN.field_title,
        list(_POLICIES),
        format_func=_POLICIES.__getitem__,
        default="ignore",
        required=True,
        key="import-uncertain",
    )
    left = findings_in(some)
    chosen: dict[str, str] = {}
    others = [policy for policy in POLICIES if policy != default]
    for place, policy in zip(st.columns(len(others)), others, strict=True):
        own = place.multiselect(
            f"but as {_POLICIES[policy]} for",
            [finding for finding in left if finding not in chosen],
            format_func=spoken,
            placeholder="no finding",
            key=f"import-uncertain-{policy}",
        )
        chosen |= dict.fromkeys(own, policy)
    return Policy(str(default), chosen)


def _start(edited: pd.DataFrame, policy: Policy, name: str) -> None:
    from xlite.data.importing.preview import mapping_from, place_for
    from xlite.data.importing.running import start_import
    from xlite.data.importing.write import Choices

    look = st.session_state["import-look"]
    try:
        out = place_for(look.kind, name)
        mapping = mapping_from(edited, look.mapping)
        choices = Choices(policy=policy)
        st.session_state["import-running"] = start_import(look, mapping, out, choices)
    except (XliteError, OSError) as error:
        _forget_the_last()
        st.error(page_sentence(error))


def _forget_the_last() -> None:
    """What became of the import before, which would stand beside the error of this one as if it were its."""
    running = st.session_state.get("import-running")
    if running is not None and not running.is_running:
        del st.session_state["import-running"]


def _show_running() -> None:
    """How far the import is, and in the end what was made of what."""
    running = st.session_state["import-running"]
    if running.is_running:
        _watch()
        return
    if running.error is not None:
        st.error(page_sentence(running.error))
        return
    from xlite.data.importing.record import sentences

    name = literal(running.out.name)
    st.success(f"The data folder {name} is there.", icon=":material/check:")
    st.markdown("\n".join(f"- {literal(one)}" for one in sentences(running.record)))
    with st.container(horizontal=True):
        st.button(f"Open {name}", on_click=_open, args=(str(running.out),), type="primary")
        said = st.session_state.get("data", "")
        if said and running.out not in (roots := data_roots(said)):
            others = literal(" and ".join(root.name for root in roots))
            st.button(f"Open {name} together with {others}", on_click=_open, args=(f"{said},{running.out}",))


@st.fragment(run_every=0.5)
def _watch() -> None:
    """How far it is; draws the whole page anew when it has ended."""
    running = st.session_state.get("import-running")
    if running is None or not running.is_running:
        st.rerun(scope="app")
    told = f"Film {running.done:,} of {running.total:,}" if running.total else "Reading its films"
    st.progress(min(1.0, running.done / max(1, running.total)), told)


def _open(data: str) -> None:
    st.session_state["data"] = data
    st.session_state.pop("import-look", None)
    st.session_state.pop("import-running", None)
