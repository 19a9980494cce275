# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where django-ca is found."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [path("django_ca/", include("django_ca.urls"))]
