"""Numbers -> pages. Pure: it reads a run folder and what analysis made of it.

`page.render` gives the self-contained HTML report, `console.summary_table` what a terminal shows. Everything that came
from a guest is untrusted here and passes `text.visible` before it is printed, drawn or put into a page.
"""

from viplab.report.console import summary_table
from viplab.report.page import render

__all__ = ["render", "summary_table"]
