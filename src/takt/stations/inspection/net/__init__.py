"""The trained inspector: what a look is to it (looks.py), the network (model.py), the worker, and how it was taught."""
