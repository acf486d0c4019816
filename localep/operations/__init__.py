"""What localep does, one verb a module: a spec goes in, a frozen result comes out.

What several verbs share lies beside them; what has parts of its own has a folder.
"""
