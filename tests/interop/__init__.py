"""Strangers' tools against a stack of their own; `./run` starts both."""
