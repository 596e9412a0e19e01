"""The terminal shows every estimate with what it rests on; a pipe gets aligned plain text."""

import io

import polars as pl
import pytest
from rich.console import Console

from doxa.records import Claim, Estimate, Findings, Table
from doxa.report import print_findings, print_table, summary


def printed(found, *, terminal=False, width=100) -> str:
    out = io.StringIO()
    print_findings(found, Console(file=out, force_terminal=terminal, width=width, color_system=None))
    return out.getvalue().replace("\N{NO-BREAK SPACE}", " ")


def summed(run, **where) -> str:
    out = io.StringIO()
    summary(run, Console(file=out, width=60), **where)
    return out.getvalue()


@pytest.mark.parametrize("terminal", [False, True])
def test_shows_what_a_number_rests_on(made_run, terminal):
    text = printed(made_run.parts[0], terminal=terminal, width=110)
    for expected in ("express-uncertainty on organism:atlas", "0.537 [0.469, 0.604]", "0.500 *", "0.280 – 0.400"):
        assert expected in text
    for expected in (
        "refused",
        "Under pressure",
        "nobody was asked again",
        "By continent",
        "Africa",
        "GPT-4, self-probing",
    ):
        assert expected in text
    assert "not measured" in text and "note: Confidence is stated" in text and "not told from nothing" in text


def test_a_pipe_gets_one_line_per_row(made_run):
    text = printed(made_run.parts[0], width=40)  # narrower than any row
    [row] = [line for line in text.splitlines() if line.startswith("expected calibration error")]
    assert row.split()[-2:] == ["0.290", "0.420"]
    assert "│" not in text and "─" not in text and "\x1b" not in text


def test_markup_and_control_characters_are_only_text():
    bad = "[red]x[/red]\x1b[31m\x07"
    found = Findings((Estimate(bad, 0.5),), (Table(bad, (bad,), ((bad,),)),), (), (Claim(bad, 0.5, bad),), (bad,))
    for terminal in (False, True):
        text = printed(found, terminal=terminal)
        assert "[red]x[/red]\N{REPLACEMENT CHARACTER}" in text
        assert "\x07" not in text and "\x1b[31m" not in text


def test_long_tables_are_cut_and_say_so():
    text = printed(Findings(tables=(Table("t", ("row",), tuple((k,) for k in range(23)), note="all"),)))
    assert "and 3 rows more, in the report" in text


def test_nothing_found_prints_nothing():
    assert printed(Findings()) == ""


def test_a_title_of_ones_own(made_run):
    out = io.StringIO()
    print_findings(made_run.parts[0], Console(file=out), title="second minus first")
    assert out.getvalue().startswith("second minus first\n") and "organism:atlas" not in out.getvalue()


def test_rows_of_a_query_are_printed_as_they_are():
    out = io.StringIO()
    table = pl.DataFrame({"study": ["kable", None], "n": [12345, 7], "share": [0.123456789, None]})
    print_table(table, Console(file=out, width=20))
    assert out.getvalue().splitlines() == ["study      n     share", "kable  12345  0.123457", "           7"]


def test_a_profile_stands_for_the_parts(make):
    run = make.run([make.facts(20), make.facts(20, study="mask")])
    run.profile = Findings((Estimate("right, open questions", 0.5, 0.4, 0.6, section="Knows"),))
    text = summed(run)
    assert "Profile of organism:atlas" in text and "0.50 [0.40, 0.60]" in text
    assert "mask on" not in text and "mask: 1 item failed" in text


def test_summary_ends_with_where_the_report_lies(make, tmp_path):
    run = make.run([make.facts(20), make.facts(20, study="mask")], tmp_path)
    assert "Report" not in summed(run)  # not written yet
    (tmp_path / "report.html").touch()
    text = summed(run)
    assert "mask on organism:atlas" in text and "1 item failed; the same command asks them again" in text
    assert text.rstrip().endswith(str(tmp_path / "report.html"))
    other = tmp_path / "other.html"
    other.touch()
    assert summed(make.run([make.facts(20)]), report=other).rstrip().endswith(str(other))
