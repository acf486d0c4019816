"""From a conda file to a build context and its Dockerfile; knows no Docker."""
