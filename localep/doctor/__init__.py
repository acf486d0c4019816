"""What on this machine helps or hinders localep: one check a file, over facts gathered before."""
