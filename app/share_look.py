"""How the Gradio demo looks, light and dark: each text has a contrast of 4.5 or more (WCAG 2.2, AA)."""

import gradio as gr

STYLE = """
.film-row {display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 260px), 1fr)); gap: 12px}
figure.film {margin: 0} .film img {width: 100%; border-radius: 6px; background: #000}
.film figcaption {padding: 6px 2px; font-variant-numeric: tabular-nums}
.film figcaption p {margin: 4px 0; font-size: 13px; line-height: 1.4}
.wide {overflow-x: auto; margin-top: 12px}
.wide table {border-collapse: collapse; font-size: 12.5px; width: 100%}
.wide table, .wide tr, .wide th, .wide td {border: 0 solid var(--border-color-primary) !important}
.wide tr {border-bottom-width: 1px !important}
.wide th, .wide td {padding: 4px 5px; text-align: right}
.wide th.text, .wide td.text {text-align: left}
.wide td:not(.text) {white-space: nowrap}
.wide td.text:last-child {min-width: 9em}
#bars .confidence, #bars .line {display: none}
.note {font-size: 13px}
.alert {padding: 10px 14px; border: 1px solid #b7791f; border-left-width: 5px; border-radius: 6px}
.alert.grave {border-color: #d64550}
.alert ul {margin: 4px 0 0; padding-left: 20px; list-style: disc}
.files a {margin-right: 16px; text-decoration: underline}
"""


def theme() -> gr.themes.Base:
    """Gradio's soft theme in darker colours, with fonts of the visitor's machine: others come from afar."""
    soft = gr.themes.Soft(
        primary_hue="teal", neutral_hue="slate", font=["system-ui", "sans-serif"], font_mono=["monospace"]
    )
    links = {
        f"link_text_color{state}{dark}": f"*primary_{shade}"
        for state in ("", "_hover", "_active", "_visited")
        for dark, shade in (("", 700), ("_dark", 300))
    }
    return soft.set(
        background_fill_primary="*neutral_50",  # as it was: `set` would make it white
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_dark="*primary_700",
        button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_hover_dark="*primary_800",
        block_label_text_color="*primary_800",
        block_title_text_color="*primary_800",
        block_label_background_fill_dark="*primary_800",
        body_text_color_subdued="*neutral_600",
        input_placeholder_color="*neutral_600",
        input_placeholder_color_dark="*neutral_400",
        **links,
    )
