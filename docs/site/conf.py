"""How the documentation site is built: ``sphinx-build -W -c docs/site . site``.

The sources are the Markdown pages as they stand in the repository, so that links between them work
there and here. Nothing in the site is loaded from the network.
"""

from __future__ import annotations

import sys
from importlib.metadata import version as version_of
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # The extensions beside this file.

project = "stockpile"
version = release = version_of("stockpile")
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "made_pages",
    "mathematics",
]
root_doc = "docs/index"
include_patterns = [
    "README.md",
    "CHANGELOG.md",
    "benchmarks/README.md",
    "examples/README.md",
    "docs/**.md",
]
exclude_patterns = [".*", "build", "dist", "results", "site"]
nitpicky = True
nitpick_ignore_regex = [("py:.*", r"(?!stockpile\.).*")]  # Only what is ours is documented here.
smartquotes_action = "D"  # Dashes; quotation marks stay as they are.

myst_enable_extensions = ["dollarmath"]
myst_fence_as_directive = ["math"]
myst_heading_anchors = 4  # The same anchors as on GitHub.

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
python_maximum_signature_line_length = 80
napoleon_google_docstring = False
napoleon_use_ivar = True

html_theme = "furo"
html_title = f"stockpile {release}"
html_math_renderer = "mathml"
html_extra_path = ["root"]  # A first page that leads to the contents.
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_copyright = False
html_show_search_summary = False  # From files a browser cannot fetch what it takes.
html_show_sourcelink = False
