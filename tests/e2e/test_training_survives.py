"""A training lives apart from the page: a reload, a second tab and the kill of its process, in a real browser."""

import os
import re
import signal
import time
from pathlib import Path

from selenium.webdriver.remote.webdriver import WebDriver

from indexing import atomic
from indexing.jobs.folder import LOCK
from tests.e2e.browsing import all_of, press, text_of, until, until_told
from tests.e2e.conftest import Workshop
from tests.e2e.retraining import begin_training
from tests.e2e.serving import WAIT
from training.jobs.jobs import TrainingJob
from training.jobs.status import METRICS, read_metrics
from training.versions.registry import find_version

STEPS, SAVE_EVERY = 200, 10
OLD_LOSS = "123.0"  # no loss of this training: it tells lines of before the kill from those that are written anew


def test_a_training_is_in_every_tab_and_goes_on_after_the_kill_of_its_process(
    browser: WebDriver, workshop: Workshop
) -> None:
    browser.get(f"{workshop.address}/train")
    all_of(browser, ".st-key-train_start")
    begin_training(browser, name="long", steps=STEPS, batch=1, save_every=SAVE_EVERY, limit=20, dev_queries=1)
    (folder,) = (job.folder for job in TrainingJob.all(workshop.folder / "data/jobs") if job.alive)
    tabs = [browser.current_window_handle]
    held = hold_still(folder, after=2 * SAVE_EVERY)  # however slow this machine is, it can be looked at

    browser.refresh()
    browser.switch_to.new_window("tab")
    browser.get(f"{workshop.address}/train")
    tabs.append(browser.current_window_handle)
    until_shown(browser, tabs, held)
    send(folder, signal.SIGCONT)
    later = hold_still(folder, after=held + 1)
    until_shown(browser, tabs, later)

    send(folder, signal.SIGKILL)
    for tab in tabs:
        browser.switch_to.window(tab)
        until_told(browser, "The process ended unexpectedly: it was killed,")
    lines = (folder / METRICS).read_text(encoding="utf-8").splitlines(keepends=True)
    lines[0] = re.sub(r'"loss": [0-9.e-]+', f'"loss": {OLD_LOSS}', lines[0])
    atomic.write_text(folder / METRICS, "".join(lines))
    press(browser, "train_resume")
    until_told(browser, "Version long/1 is ready.")
    metrics = read_metrics(folder)
    assert [metric.step for metric in metrics] == list(range(1, STEPS + 1))
    assert metrics[0].loss == float(OLD_LOSS)
    assert find_version("long/1", workshop.folder / "data/models").manifest.settings["steps"] == STEPS


def hold_still(folder: Path, *, after: int) -> int:
    """Stop a training's process, as a machine that is busy elsewhere does, after so many steps; gives what it told."""
    end = time.monotonic() + WAIT
    while (status := TrainingJob.read_status(folder)).step < after:
        assert time.monotonic() < end, status
        time.sleep(0.02)
    send(folder, signal.SIGSTOP)
    return TrainingJob.read_status(folder).step


def send(folder: Path, wanted: signal.Signals) -> None:
    """Send a signal to the process of a training."""
    os.kill(int((folder / LOCK).read_text(encoding="ascii")), wanted)


def until_shown(browser: WebDriver, tabs: list[str], step: int) -> None:
    """Wait until every tab shows the training at this step."""
    for tab in tabs:
        browser.switch_to.window(tab)
        until(browser, f"step {step}", lambda: f"step {step} of {STEPS} " in text_of(browser, ".st-key-train_job"))
