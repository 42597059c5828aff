"""Policy packs: parse, validate, classify, rights, clocks, calculations; pure."""
