"""Cases, findings, sites and leaves in SQLite or PostgreSQL. See `docs/store.md`.

`open_store` opens, makes and migrates a database; `DatabaseStore` meets `headframe.cases.store.CaseStore`.
"""

from headframe.stores.database.opening import open_store
from headframe.stores.database.store import DatabaseStore

__all__ = ["DatabaseStore", "open_store"]
