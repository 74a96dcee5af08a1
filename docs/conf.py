"""Settings of the documentation site: `sphinx-build -W -b html docs build/docs` builds it."""

project = "reasoner"
author = "the reasoner authors"
copyright = "the reasoner authors, Apache-2.0"
extensions = ["myst_parser"]
exclude_patterns = ["_build"]

html_theme = "furo"
html_title = "reasoner"
html_copy_source = False

myst_heading_anchors = 3
nitpicky = True
