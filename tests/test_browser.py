"""The browser fixtures themselves: what a page may not do must turn a test red."""

import subprocess
import sys
from pathlib import Path

import pytest

from tools import browser

ROOT = Path(__file__).parents[1]


def test_a_quiet_page_passes_and_runs_scripts(page):
    page.set_content("<p id=here>nothing yet</p><script>here.textContent = 6 * 7</script>")
    assert page.text_content("#here") == "42"


def test_no_name_is_resolved(browser):
    context = browser.new_context()
    opened = context.new_page()
    with pytest.raises(Exception, match="ERR_NAME_NOT_RESOLVED"):
        opened.goto("http://localhost.example/")
    context.close()


FORBIDDEN = [
    ("<script>console.error('lost my way')</script>", "console error: lost my way*"),
    ("<script>throw new Error('thrown')</script>", "page error: *thrown*"),
    ("<script>Promise.reject(new Error('unheard'))</script>", "page error: *unheard*"),
    ("<img src='http://elsewhere.invalid/a.png'>", "request that leaves *: http://elsewhere.invalid/a.png"),
    ("<script>new WebSocket('ws://elsewhere.invalid/')</script>", "request that leaves *: ws://elsewhere*"),
    (
        "<script>fetch('http://127.0.0.1.invalid/').catch(() => 0)</script>",
        "request that leaves *.1.invalid/",
    ),
]


def test_what_a_page_may_not_do_fails_its_test(pytester, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pytester.makeconftest((ROOT / "tests" / "conftest.py").read_text())
    pytester.makepyfile(
        f"""
        import pytest

        @pytest.mark.parametrize("html", {[html for html, _ in FORBIDDEN]})
        def test_page(page, html):
            page.set_content(html)
        """
    )
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=len(FORBIDDEN), errors=len(FORBIDDEN))
    result.stdout.fnmatch_lines([f"*{said}" for _, said in FORBIDDEN])


def test_a_wrong_choice_of_browser_is_named(monkeypatch):
    monkeypatch.setenv("CHROMIUM", "/nowhere/chromium")
    with pytest.raises(browser.BrowserNotFoundError, match="expected a browser that starts, got '/nowhere"):
        browser.find()


def test_a_program_that_does_not_start_is_passed_over(monkeypatch, tmp_path):
    stub = tmp_path / "chromium"
    stub.write_text("#!/bin/sh\nexit 1\n")
    stub.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(browser, "APPLICATIONS", ())
    assert browser.of_the_system() is None
    stub.write_text("#!/bin/sh\necho Chromium 1\n")
    assert browser.of_the_system() == stub


def test_a_browser_without_windows_comes_first(monkeypatch, tmp_path):
    for name in ("chromium", "chromium-headless-shell"):
        (tmp_path / name).write_text("#!/bin/sh\necho Chromium 1\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert browser.of_the_system() == tmp_path / "chromium-headless-shell"


@pytest.mark.parametrize(
    ("there", "asked_times", "said"),
    [
        ({"chromium", "chromium-headless-shell"}, 1, ""),
        ({"chromium"}, 2, ""),
        (set(), 2, "exit status 100"),
    ],
)
def test_where_there_is_none_without_windows_another_is_installed(monkeypatch, there, asked_times, said):
    asked = []

    def run(command):
        if "install" not in command:
            return ""
        asked.append({name for name in command if name.startswith("chromium")})
        return "" if asked[-1] <= there else "exit status 100"

    monkeypatch.setattr(browser, "run", run)
    monkeypatch.setattr(browser.shutil, "which", lambda name: f"/bin/{name}")
    assert browser.fetch_debian() == said
    assert [set(names) for names in asked] == [{"chromium", "chromium-headless-shell"}, {"chromium"}][
        :asked_times
    ]


def test_where_nothing_works_everything_tried_is_listed(monkeypatch):
    monkeypatch.delenv("CHROMIUM", raising=False)
    for look in ("of_the_system", "of_playwright"):
        monkeypatch.setattr(browser, look, lambda: None)
    monkeypatch.setattr(browser, "fetch_playwright", lambda: "exit status 7")
    monkeypatch.setattr(browser, "fetch_debian", lambda: "not root, and no sudo")
    with pytest.raises(browser.BrowserNotFoundError) as caught:
        browser.find_or_fetch()
    for tried in (
        "on PATH: chromium-headless-shell, ",
        "playwright install chromium: exit status 7",
        "not root",
        "set CHROMIUM",
    ):
        assert tried in str(caught.value)


def test_a_fetched_browser_is_used(monkeypatch):
    monkeypatch.delenv("CHROMIUM", raising=False)
    here = []
    monkeypatch.setattr(browser, "of_the_system", lambda: here[0] if here else None)
    monkeypatch.setattr(browser, "of_playwright", lambda: None)
    monkeypatch.setattr(browser, "fetch_playwright", lambda: "exit status 7")
    monkeypatch.setattr(browser, "fetch_debian", lambda: here.append(Path("/fetched/chromium")) or "")
    assert browser.find_or_fetch() == Path("/fetched/chromium")


def test_the_command_prints_the_path_and_nothing_else():
    done = subprocess.run(
        [sys.executable, "-m", "tools.browser"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert browser.starts(done.stdout.strip())
    assert len(done.stdout.splitlines()) == 1
