"""The part of the Teach page that takes judgments of Quepid and OpenSearch."""
