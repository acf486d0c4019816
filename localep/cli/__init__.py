"""The command line: each verb parses, calls one operation, and prints its result."""
