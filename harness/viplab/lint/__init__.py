"""Warns of what is dangerous in keepalived.conf, each warning with the scenario that shows why.

`read` reads the files with vipd's parser, `rules` is the table of what is looked for, `instance_rules` and
`cluster_rules` have the functions, `forms` writes what was found. This is the one package of the bench that reads
`vipd.config`: whoever else imported it would measure vipd with vipd's own ideas.
"""
