"""A pytest plugin that looks for the secrets of a test in all that comes out of the host while it runs."""
