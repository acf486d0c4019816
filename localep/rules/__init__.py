"""What is known of deployments that fail in the cloud."""
