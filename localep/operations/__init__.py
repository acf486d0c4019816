"""What localep does, one verb a module: a spec goes in, a frozen result comes out."""
