"""What to do: the model of a scenario file, its loader, its JSON Schema and the keepalived.conf that it asks for.

Nothing here touches a guest or a network.
"""
