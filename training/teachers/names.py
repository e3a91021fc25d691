"""How teachers are named; nothing heavy is imported."""

import re

TEACHER_USAGE = "first-stage[:BI-ENCODER], late-interaction[:BI-ENCODER], reranker:NAME, given, or several joined by +"
JOINED = re.compile(r"\+(?=given(?:\+|$)|first-stage|late-interaction|reranker:)")  # a path may hold a + of its own
