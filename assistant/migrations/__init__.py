"""Migrations of the feedback database, run by `assistant.store` when it opens one; a new step is a new file."""
