"""What a deployment runs in: its plan, its lock, and the images that are built for it."""
