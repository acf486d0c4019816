"""Why it failed: what logs, answers and counters tell of the causes in the catalogue."""
