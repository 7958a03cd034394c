"""Sphinx's configuration of the site: `python -m nox -s site`."""

from __future__ import annotations

import os
import pathlib
import sys

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE / "extensions"))

import portanet  # noqa: E402

os.environ.setdefault("OMP_NUM_THREADS", "1")  # pages of the gallery run side by side
os.environ.setdefault("SCIPY_ARRAY_API", "1")  # read when a page first imports SciPy

project = "portanet"
author = "the portanet developers"
version = release = portanet.__version__
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.mathjax",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
    "reference",
    "links",
]
exclude_patterns = ["gallery", "extensions"]

# Pages in Markdown, which are also read on code hosts and run as doctests.
myst_enable_extensions = ["dollarmath", "colon_fence", "deflist"]
myst_heading_anchors = 3

# Docstrings: Google's sections, code in single backticks.
default_role = "code"
autodoc_member_order = "bysource"
autodoc_inherit_docstrings = False
autodoc_typehints = "none"
toc_object_entries_show_parents = "hide"
python_maximum_signature_line_length = 88
napoleon_numpy_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True

# Pages that need a folder with MNIST's files are shown without results where it is missing.
mnist = pathlib.Path(os.environ.get("MNIST", "mnist"))
sphinx_gallery_conf = {
    "examples_dirs": ["gallery"],
    "gallery_dirs": ["auto_gallery"],
    "filename_pattern": r"\.py$" if mnist.is_dir() else r"(?<!_mnist)\.py$",
    "parallel": 2,
    "remove_config_comments": True,
    "capture_repr": ("_repr_html_",),  # no lists of matplotlib's objects after a picture
    "show_memory": False,
    "min_reported_time": 1,
    "reset_modules": ("matplotlib",),
}

suppress_warnings = ["toc.empty_glob", "config.cache"]

html_theme = "pydata_sphinx_theme"
html_title = "portanet"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_logo = "static/logo.svg"
html_favicon = "static/logo.svg"
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "logo": {"text": "portanet"},
    "collapse_navigation": True,
    "navigation_with_keys": False,
    "show_prev_next": False,
    "header_links_before_dropdown": 6,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": [],
    "footer_end": [],
}
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
