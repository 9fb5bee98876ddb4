"""Runs the migrations on the connection that `assistant.store` opened; Alembic executes this file."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
with context.begin_transaction():
    context.run_migrations()
