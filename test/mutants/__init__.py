# SPDX-License-Identifier: Apache-2.0
"""How many small mistakes the tests notice; docs/testing.md says how to read it."""
