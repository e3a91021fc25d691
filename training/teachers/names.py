"""The syntax of teachers' names, in a module that imports nothing heavy."""

import re

TEACHER_USAGE = "first-stage[:BI-ENCODER], late-interaction[:BI-ENCODER], reranker:NAME, given, or several joined by +"
JOINED = re.compile(r"\+(?=given(?:\+|$)|first-stage|late-interaction|reranker:)")  # a path may contain a + itself
