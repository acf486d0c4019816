"""The parts of `serve`: a deployment as a process of this machine."""
