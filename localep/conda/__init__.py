"""Conda packages: channels, the user's conda settings, and the solver; the one user of rattler."""
