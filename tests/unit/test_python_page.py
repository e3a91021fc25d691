"""docs/python.md names every public name's field that the trace gives, and shows the program that examples/ runs."""

import re

import pytest

from search.settings import PipelineSettings
from search.trace import SCHEMA, PipelineVersions, SearchTrace
from tests.conftest import REPOSITORY
from tests.unit.search.test_trace import ranking

PAGE = (REPOSITORY / "docs/python.md").read_text(encoding="utf-8")


def fields() -> list[str]:
    """The fields of to_dict as the page spells them."""
    trace = SearchTrace(
        query="q",
        settings=PipelineSettings(),
        versions=PipelineVersions(index="i", build="b", bi_encoder="m", reranker=None, second_look=""),
        first_stage={},
        fused=ranking("a"),
        seconds={},
        passages={},
    )
    values = trace.to_dict(top=0)
    names = [name for name in values if name not in ("versions", "settings")]
    return names + [f"{part}.{name}" for part in ("versions", "settings") for name in values[part]]


@pytest.mark.parametrize("field", fields())
def test_a_field_of_the_contract_is_documented(field: str) -> None:
    assert re.search(rf"^\| .*`{re.escape(field)}(\.[^`]*)?`.* \|", PAGE, flags=re.MULTILINE)


def test_the_page_states_the_schema() -> None:
    assert f"version of this contract: {SCHEMA} |" in PAGE


def test_the_first_program_is_the_example() -> None:
    program = re.search(r"^```python\n(.*?)^```$", PAGE, flags=re.DOTALL | re.MULTILINE)
    assert program is not None
    example = (REPOSITORY / "examples/search_sample.py").read_text(encoding="utf-8")
    assert example.endswith(program[1])
