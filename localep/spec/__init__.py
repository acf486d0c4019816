"""From YAML files to an endpoint and its deployment; knows no Docker."""
