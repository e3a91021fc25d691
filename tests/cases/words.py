"""Cases about words: scripts without spaces, marks, signs, stop words, and the language of an index."""

import json
from pathlib import Path

from tests.cases.case import Case, Checks
from tests.cases.judgments import mean

CHECKS = Checks()
BM25 = ("--fusion", "bm25", "--reranker", "none")


def _corpus(**passages: str) -> str:
    return "".join(f"{name}\t{text}\n" for name, text in passages.items())


def _chinese(folder: Path) -> None:
    (folder / "collection.tsv").write_text(
        _corpus(
            z1="图书馆周末下午六点关门。",
            z2="街角那家店的牛肉面最好吃。",
            z3="火车站前面修了一条新路。",
            z4="小猫在窗台上晒太阳。",
            z5="The library closes at six.",
        ),
        encoding="utf-8",
    )
    (folder / "queries.test.tsv").write_text("q1\t图书馆几点开门\nq2\t牛肉面\n", encoding="utf-8")
    (folder / "qrels.test.tsv").write_text("q1 0 z1 1\nq2 0 z2 1\n")


@CHECKS.add("01-chinese-one-token", _chinese)
def chinese(case: Case) -> None:
    """Words that no space separates are found by BM25."""
    said = case.build().said
    assert "Chinese" in said, said
    assert case.ids("牛肉面", *BM25)[:1] == ["z2"]
    assert case.ids("图书馆几点开门", *BM25)[:1] == ["z1"]
    found, _ = case.evaluation()
    assert mean(found, "BM25") == 1, found


def _marks(folder: Path) -> None:
    (folder / "collection.tsv").write_text(
        _corpus(
            h1="हिन्दी फिल्मों की कहानी मुंबई में शुरू हुई।",
            h2="नदी की हद से दिन में पानी बढ़ा।",
            t1="เด็กกินปลาที่บ้านทุกวัน",
            a1="كَتَبَ المُعَلِّمُ الدَّرسَ",
            a2="كتاب قديم في المكتبة",
            e1="The history of films in the town.",
        ),
        encoding="utf-8",
    )


@CHECKS.add("02-indic-thai-marks", _marks)
def marks(case: Case) -> None:
    """Combining marks stay with their letters, and vowel points are read past."""
    case.build()
    assert case.ids("हिन्दी", *BM25) == ["h1"]
    assert case.ids("ปลา", *BM25)[:1] == ["t1"]
    assert case.ids("المعلم", *BM25) == ["a1"]
    from indexing.words.analyzers import analyzer_for

    for language in ("english", "none"):
        analyzer = analyzer_for(language)
        assert set(analyzer.query_terms("がん")).isdisjoint(analyzer.terms("かん"))


def _symbols(folder: Path) -> None:
    (folder / "collection.tsv").write_text(
        _corpus(
            k1="C++ compiles templates.",
            k2="C# collects garbage.",
            k3="C is an old language.",
            k4=".NET runs on servers.",
            k5="The net has holes.",
            k6="U.S. imports fell.",
            k7="Tell us a story.",
            k8="The plug has 3.5mm.",
            k10="covid-19 came in winter.",
            k12="The user_name field is required.",
        )
    )


@CHECKS.add("16-symbols", _symbols)
def symbols(case: Case) -> None:
    """Names with signs in them are told apart, and compounds are found by their parts."""
    case.build("--language", "english")
    assert case.ids("C++", *BM25) == ["k1"]
    assert case.ids("C#", *BM25) == ["k2"]
    assert case.ids("C", *BM25) == ["k3"]
    assert case.ids(".NET", *BM25) == ["k4"]
    assert case.ids("U.S.", *BM25) == ["k6"]
    assert case.ids("user name", *BM25)[:1] == ["k12"]
    assert case.ids("user_name", *BM25)[:1] == ["k12"]
    assert case.ids("3.5mm", *BM25)[:1] == ["k8"]
    assert "k10" in case.ids("covid 19", *BM25)


def _stop_words(folder: Path) -> None:
    (folder / "collection.tsv").write_text(
        _corpus(
            v1="To be, or not to be, asked the prince.",
            v2="The Who sang in Leeds.",
            v3="A clown is in the drain.",
            v4="Rain fell on the boats.",
        )
    )


@CHECKS.add("23-stop-words-only", _stop_words)
def stop_words(case: Case) -> None:
    """A query of stop words is answered by meaning, and BM25 alone says why it finds nothing."""
    case.build()
    assert "v1" in case.ids("to be or not to be", "--reranker", "none")
    said = case.done("search", "query", "to be or not to be", "--index", "case", *BM25).out
    assert "All words of the query are stop words, which BM25 leaves out: to, be, or, not" in said, said
    answer = json.loads(case.done("search", "query", "to be", "--index", "case", "--json", *BM25).out)
    assert answer["final"] == []
    assert "stop words" in answer["notes"][0]
    said = case.done("search", "query", "xylograph qwzx", "--index", "case", *BM25).out
    assert "No passage has any of the query's words: xylograph, qwzx" in said, said


def _german(folder: Path) -> None:
    texts = (
        "Die Häuser in der Straße sind sehr alt und schön.",
        "Das Haus hat einen Garten, und der Hund schläft dort.",
        "Müller ist in der Stadt der häufigste Name.",
        "Es war ein Winter ohne Schnee, aber mit viel Regen.",
    )
    (folder / "collection.tsv").write_text(_corpus(**{f"g{n}": text for n, text in enumerate(texts)}), encoding="utf-8")


@CHECKS.add("words-german", _german)
def german(case: Case) -> None:
    """An index takes the language of its corpus, says so, pins it, and tells which models don't know it."""
    built = case.build()
    assert "language: german, by 4 sampled passages: 100% german" in built.out, built.said
    assert "German, which the bi-encoder and the shipped re-ranker know little of" in built.err, built.err
    assert set(case.ids("haus", *BM25)) == {"g0", "g1"}
    assert case.ids("strasse", *BM25) == ["g0"]
    assert case.ids("Mueller", *BM25) == ["g2"]
    assert "language    german" in case.done("indexing", "inspect", "--index", "case").out
    sentence = case.refused("indexing", "build", "--corpus", case.folder, "--index", "x", "--language", "klingon")
    assert "'klingon' is unknown; choose one of auto, arabic" in sentence
