"""From a scan's result to what people and programs read: terminal table, JSON Lines, JSON, CSV and HTML."""
