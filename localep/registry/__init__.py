"""The local registry: models and environments under a name and a version, for references."""
