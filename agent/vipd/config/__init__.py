"""The configuration: text of a keepalived.conf becomes a `model.Config`, and a `Config` becomes text again.

Here lie the grammar, the table of keywords, what their values may be, and the profiles of daemons (`behaviour`).
Nothing here reads a file, a clock or the environment: the text is an argument, and so is the function that looks up
included files. It imports nothing else of vipd.
"""
