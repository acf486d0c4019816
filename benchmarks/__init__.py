"""How long localep's commands take, beside what the engine and the server alone take.

Run by `sh scripts/bench.sh` from the project's root; not part of what is installed.
"""
