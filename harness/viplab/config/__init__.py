"""The user's own keepalived.conf on the bench: rewritten in names and addresses only, the rest as it stands.

`given` reads the files, `words` finds each word's place in them, `roles` is the table of words that are names or
addresses, `renaming` says what each becomes, `rewriting` writes the files anew and lists what was changed, `router`
reads what they then ask for, and `adopting` puts that into a scenario. With `viplab.lint` it is what reads
`vipd.config`: nothing that measures does.
"""
