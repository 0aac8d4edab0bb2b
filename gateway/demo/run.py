"""One demo from beginning to end: simulators, first contact, work under faults and kills, rest, the oracle's word."""

from __future__ import annotations

import time
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

from gateway.bootstrap import Gateway, open_gateway
from gateway.config_file import load
from gateway.demo.catalogue import PROCEDURES, PROVINCE
from gateway.demo.clerk import ACTOR
from gateway.demo.oracle import Oracle, read_books
from gateway.demo.outcome import Outcome
from gateway.demo.past import seed_past
from gateway.demo.play import Play
from gateway.demo.processes import DemoError, GatewayProcess, Simulators, reserved_port
from gateway.demo.screen import Screen
from gateway.demo.stage import KINDS, Stage
from gateway.demo.wish import SHORT, Demo, Tell, Wish

OLD = 200
FIRST_CONTACT_S = 60.0
AFTER_LINE_S = 0.1
"""The portals' times have whole seconds: nothing new may happen in the very second of the line."""


def run_demo(wish: Wish, folder: Path, tell: Tell = lambda _name, _done, _of: None) -> Outcome:
    """Run a demo in `folder`; everything it starts has ended when this returns.

    Raises:
        DemoError: A process ended by itself, or something took far too long.
    """
    began = time.monotonic()
    demo = Demo(wish, folder, tell, Outcome(wish.dossiers, wish.seed, wish.faults))
    with ExitStack() as ending:
        stage = Stage(wish.faults, wish.seed, wish.dossiers + wish.pushes, ending.enter_context(reserved_port()))
        simulators = Simulators(stage.simulators(), folder / "simulators.log")
        ending.callback(simulators.stop)
        screens = {name: Screen(url) for name, url in simulators.control.items()}
        for screen in screens.values():
            ending.callback(screen.close)
        config = stage.write(simulators.urls, folder)
        seed_past(screens, OLD)
        gateway = ending.enter_context(open_gateway(load(config)))
        process = GatewayProcess(config, folder / "gateway.log")
        ending.callback(process.stop)
        demo.phase("start")
        control = {SHORT[name]: url for name, url in simulators.control.items()}
        oracle = _first_contact(demo, stage, gateway, process, screens, control)
        Play(demo, stage, gateway, process, screens, control, oracle).play()
    demo.outcome.seconds = round(time.monotonic() - began, 1)
    return demo.outcome


def _first_contact(
    demo: Demo,
    stage: Stage,
    gateway: Gateway,
    process: GatewayProcess,
    screens: dict[str, Screen],
    control: dict[str, str],
) -> Oracle:
    """Read what stands there in mode `watch`, then draw the line and go live."""
    process.start()
    ends = time.monotonic() + FIRST_CONTACT_S
    while (held := gateway.store.read(lambda tx: tx.counts()["dossier"])) < OLD:
        process.check()
        if time.monotonic() > ends:
            raise DemoError(f"first contact: {held} of {OLD} dossiers after {FIRST_CONTACT_S:.0f} s")
        demo.tell("first contact", held, OLD)
        time.sleep(0.1)
    time.sleep(2 * stage.whole_every_s)
    before = read_books(control)
    line = datetime.fromisoformat(screens[PROVINCE].do("clock", {"hours": 0})["now"]).timestamp()
    time.sleep(AFTER_LINE_S)
    for name in KINDS:
        gateway.engine.adopt(name, line, actor=ACTOR)
    demo.phase("first contact")
    return Oracle(before, {one.code: SHORT[one.ministry] for one in PROCEDURES if one.ministry})
