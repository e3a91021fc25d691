"""Search the sample in five lines, once `make demo` or `make index` has built its index."""

from search import open_pipeline

pipeline = open_pipeline("sample")
trace = pipeline.search("why do cats purr")
for rank, passage_id, score in trace.final.top(5):
    print(rank, f"{score:.2f}", trace.passages[passage_id].content)
