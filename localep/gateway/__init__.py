"""The HAProxy in front of an endpoint's deployment: its files and its runtime socket.

Everything here is text in and text out; operations carries it to the gateway's container.
"""
