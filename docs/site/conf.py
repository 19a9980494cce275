# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sphinx's settings for the documentation site; `make docs` copies this file beside the pages it collects."""

from __future__ import annotations

project = "certops.rotation"
author = "certops maintainers"
project_copyright = author
title = html_title = html_short_title = "certops.rotation"

extensions = ["sphinx.ext.intersphinx", "sphinx_antsibull_ext", "myst_parser"]
source_suffix = {".rst": "restructuredtext", ".md": "markdown"}
# The start page takes its parts from there.
exclude_patterns = ["README.md"]
myst_heading_anchors = 3

pygments_style = "ansible"
highlight_language = "text"
default_role = "any"
nitpicky = True
# What stands for a value ("good|revoked") is no YAML; those of the guides are parsed by a test.
suppress_warnings = ["misc.highlighting_failure"]
# Ansible's own pages, by the few labels that ours refer to: made here, so that nothing is fetched.
intersphinx_mapping = {"ansible": ("https://docs.ansible.com/projects/ansible/latest/", "ansible.inv")}

html_theme = "sphinx_ansible_theme"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_theme_options = {
    "collapse_navigation": False,
    "display_version": False,
    "documentation_home_url": "#",
    "navigation_depth": 3,
    # Whatever could load from another server.
    "show_extranav": False,
    "show_rtd_ethical_ads": False,
    "topbar_links": {},
}
html_show_sphinx = False
html_copy_source = False
# Would fetch every page that was found, which a browser refuses for files.
html_show_search_summary = False
html_use_index = False
html_domain_indices = False
