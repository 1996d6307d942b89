"""Numbers -> pages. Pure: it reads a run folder and what analysis made of it.

`forms` puts the report into a run folder or anywhere, `site` makes its pages; `console` is what a terminal shows,
`markdown` and `junit` what issues and CI take, `serve` answers a browser. Only what draws plots waits for matplotlib.
Everything that came from a guest is untrusted here and passes `text.visible` before it is printed, drawn or put into a
page.
"""
