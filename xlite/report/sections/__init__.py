"""The chapters of a report, one a function: what metrics.json and curves.json say, as blocks to show.

The HTML file, the Markdown and the page show the same blocks; the palette makes the charts fit their ground.
"""
