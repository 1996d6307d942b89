"""Ways in which the evidence of a good trial may be changed, and who notices."""

from __future__ import annotations

from viplab.ground_truth.mutations import captures, records, texts
from viplab.ground_truth.mutations.mutation import Mutation

MUTATIONS: tuple[Mutation, ...] = (*captures.MUTATIONS, *records.MUTATIONS, *texts.MUTATIONS)
