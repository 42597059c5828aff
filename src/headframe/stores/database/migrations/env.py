"""Run by Alembic: on the connection, and in the transaction, that `headframe.stores.database.opening` has opened.

Whoever only imports it, such as a search for doctests, makes nothing happen.
"""

from alembic import context

from headframe.stores.database.opening import VERSION_TABLE
from headframe.stores.database.tables import METADATA

if hasattr(context, "config"):
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=METADATA,
        version_table=VERSION_TABLE,
        render_as_batch=True,
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()
