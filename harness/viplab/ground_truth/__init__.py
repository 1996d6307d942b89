"""Known truth: captures and run folders made by arithmetic, so that what the analyser should find is known exactly.

`wire` makes frames and capture files, `maker` a trial's folder around them, `cases` the trials and their answers.
Nothing here reads with what the analyser reads with: a mistake in one is not hidden by the same mistake in the other.
"""
