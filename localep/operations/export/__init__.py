"""A deployment taken out of localep: as an image, and as what Kubernetes runs."""
