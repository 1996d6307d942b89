"""Programs for those who build vipd: the zipapp, the diagrams of docs/theory.md, the keywords of docs/vipd.md.

Nothing that runs as part of the daemon may import these, and the zipapp leaves them out.
"""
