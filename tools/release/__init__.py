# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes a release: changelog, artifact, and the proof that Galaxy takes it and that it works where it is installed.

Everything happens in a copy of the work tree; the tree itself gets the changelog and the version at the very end, when
all has held. Committing, tagging and publishing are for a person.
"""
