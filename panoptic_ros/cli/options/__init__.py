# SPDX-License-Identifier: Apache-2.0
"""Arguments that several verbs share."""
