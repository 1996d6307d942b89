"""What to do: the model of a scenario file, its loader and its JSON Schema.

Nothing here touches a guest or a network.
"""
