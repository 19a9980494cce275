# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A project with nothing in it but django-ca, configured by the environment of ``django_ca.py``. SQLite, no Celery."""

from __future__ import annotations

import os
from pathlib import Path

PLACE = Path(os.environ["DJANGO_CA_PLACE"])

SECRET_KEY = "for tests on loopback, and for nothing else in this world"
DEBUG = False
ALLOWED_HOSTS = ["*"]
USE_TZ = True
ROOT_URLCONF = "ca_urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(PLACE / "db.sqlite3"),
        # Requests come side by side: each writer takes its lock at the start, and waits for it.
        "OPTIONS": {"timeout": 30, "transaction_mode": "IMMEDIATE"},
    }
}
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "django_object_actions", "django_ca"]
MIDDLEWARE: list[str] = []
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": str(PLACE / "cache"),
    }
}
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    "django-ca": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": str(PLACE / "ca"), "file_permissions_mode": 0o600},
    },
}
CA_USE_CELERY = False
CA_ENABLE_ACME = True
CA_DEFAULT_HOSTNAME = os.environ["DJANGO_CA_HOST"]
