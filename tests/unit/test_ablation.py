"""The table of what each ingredient gave, as it is printed from the stored figures."""

from benchmarks.ablation import ARMS, table


def test_rows_give_the_mean_and_each_difference_with_its_interval() -> None:
    base = {"name": "what ships", "mean": 0.6, "sets": {"a": {"ndcg@10": 0.5}, "b": {"ndcg@10": 0.7}}}
    arm = {
        "name": "1,000 graded",
        "mean": 0.61,
        "sets": {
            "a": {"ndcg@10": 0.53, "difference": 0.03, "interval": [0.01, 0.05]},
            "b": {"ndcg@10": 0.69, "difference": -0.01, "interval": [-0.02, 0.0]},
        },
    }
    lines = list(table({"queries": {"a": 50, "b": 209}, "rows": [base, arm]}))
    assert lines[0] == "| | mean | a (50) | against what ships | b (209) | against what ships |"
    assert lines[1].count("|") == lines[0].count("|")
    assert lines[2] == "| what ships | 0.6000 | 0.5000 |  | 0.7000 |  |"
    assert lines[3] == (
        "| 1,000 graded | 0.6100 | 0.5300 | +0.0300 [+0.010, +0.050] | 0.6900 | -0.0100 [-0.020, +0.000] |"
    )


def test_every_arm_and_seed_has_a_version_of_its_own() -> None:
    names = [arm.version(seed) for arm in ARMS for seed in (17, 18)]
    assert len(set(names)) == len(names)
    assert "ablation-4000-graded-grades-alone/17" in names
