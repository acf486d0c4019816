"""The inference server as a process of this machine: its Python, its socket, its files."""
