"""Numbers -> pages. Pure: it reads a run folder and what analysis made of it.

`write_site` and `write_single` put the report into a run folder, `write_file` anywhere, `render` gives the one file as
a string; `summary_table` is what a terminal shows, `markdown` and `junit` what issues and CI take. Everything that came
from a guest is untrusted here and passes `text.visible` before it is printed, drawn or put into a page.
"""

from viplab.report.console import summary_table
from viplab.report.forms import write_file, write_single, write_site
from viplab.report.junit import junit
from viplab.report.markdown import markdown
from viplab.report.site import render

__all__ = ["junit", "markdown", "render", "summary_table", "write_file", "write_single", "write_site"]
