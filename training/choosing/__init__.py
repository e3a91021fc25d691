"""Which pipeline answers best: every setting evaluated from what was gathered once, chosen on half of the queries."""
