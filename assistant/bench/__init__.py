"""Speed, beside a bare baseline in the same run: of asking and indexing, and of the HTTP API under load."""
