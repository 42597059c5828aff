"""How the tables came about, step by step (Alembic). Only `headframe.stores.database.opening` runs them."""
