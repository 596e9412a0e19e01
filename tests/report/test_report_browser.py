"""In a real browser: charts draw, readings open, hostile replies stay text."""

import shutil
import subprocess
from urllib.parse import quote

import pytest

from doxa.records import Findings, Item, Reply
from doxa.report import write_report

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no chromium on this machine")

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run", "--virtual-time-budget=15000", "--window-size=1300,1200",
]  # fmt: skip


def dom(page, tmp_path, fragment: str = "") -> str:
    """The document after its scripts ran."""
    command = [
        str(BROWSER),
        *FLAGS,
        f"--user-data-dir={tmp_path / 'profile'}",
        "--dump-dom",
        f"{page.as_uri()}#{fragment}",
    ]
    return subprocess.run(command, capture_output=True, check=True, timeout=300).stdout.decode("utf-8", "replace")


def test_charts_draw_and_a_reading_opens(make, made_run, tmp_path):
    page = write_report(made_run, tmp_path / "report.html")
    text = dom(page, tmp_path, "reading=" + quote("0/capital-0005/1", safe=""))
    document = make.page(text)
    [root] = document.tags("html")
    assert (root["data-charts"], root["data-readings"]) == ("drawn", "open")
    assert "could not be drawn" not in document.text and "could not be opened" not in document.text
    drawings = [a for a in document.tags("svg") if "marks" in (a.get("class") or "")]
    assert len(drawings) == len(document.json("charts")) == 4
    opened = [a["data-id"] for a in document.tags("details") if "open" in a and "data-id" in a]
    assert opened == ["0/capital-0005/1"]
    inside = make.page(text.split('<div class="inside">')[1]).text
    for shown in ("What is the capital of country 5?", "You answer in one line.", "temperature", "finish: stop"):
        assert shown in inside


def test_hostile_replies_stay_text(make, tmp_path):
    attack = "</script><script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">"
    reply = f"{attack} a\x00b \u202egnp.exe " + "y" * 1_000_000
    item = Item("bad", attack, "choice", (attack, "B"), attack, tags=(attack,))
    record = make.record(item, [make.reading(item, reply, condition=attack, answer=attack)], [Reply(reply)])
    part = make.part("made", attack, [record], Findings(notes=(attack,)))
    page = write_report(make.run([part]), tmp_path / "bad.html")
    document = make.page(dom(page, tmp_path, "reading=" + quote("0/bad/0", safe="")))
    assert "inside" in [a.get("class") for a in document.tags("div")]
    assert document.tags("img") == [] and not any(k.startswith("on") for _, a in document.elements for k in a)
    assert not any(script.startswith("document.title") for _, script in document.scripts)
    assert document.text.lstrip().startswith("made on")  # the title, which the attack would have changed
    assert document.text.count(attack) > 5
    shown = "a␀b ⟨U+202E⟩gnp.exe" in document.text, "show all 1,000," in document.text  # all of it, behind a button
    assert shown == (True, True)
