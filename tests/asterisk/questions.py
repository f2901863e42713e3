"""Calls for which the dialplan asks the daemon who should be rung, by the shipped files."""

import asyncio
import time

from expectations import Call, Contact, Deal, Holding
from manners import answers
from scenario import (
    ANNA, ASKED, ASKED_FOR_MANAGER, ASKED_FREEPBX, ASKED_MIKOPBX, BORIS, VERA, Chapter,
    answered_in,
)
from sip_phone import SipPhone
from stage import Stage

QUESTIONS = Chapter()
scenario = QUESTIONS.scenario

# A daemon that is not there costs nothing: what is left is a call's own setting up.
AT_ONCE_SECONDS_MAX = 0.5
# The longest that a call may wait for a daemon that hangs.
HUNG_SECONDS_MAX = 1.5
# The dialplan's own deadline, less a little: had it been shorter, nobody would have been asked.
ASKED_SECONDS_MIN = 1.0


async def rings(stage: Stage, our_number: str, client: str, desk: SipPhone):
    """The client calls and the desk rings; returns both legs and the seconds between."""
    desk.manner = answers()
    begun = time.monotonic()
    call = await stage.client_calls(our_number, client)
    leg = await desk.next_call()
    return call, leg, time.monotonic() - begun


async def asked(stage: Stage, our_number: str, client: str, desk: SipPhone):
    """A call that rings whom the daemon names; both talk."""
    call, leg, seconds = await rings(stage, our_number, client, desk)
    if seconds > AT_ONCE_SECONDS_MAX:
        raise RuntimeError(f"the call rang after {seconds:.2f} s")
    print(f"       asked: {desk.user} rang after {seconds:.2f} s", flush=True)
    await stage.talk(call, leg)
    await call.hang_up()


@scenario("79035551051", answered_in(BORIS), needs_daemon=True)
async def asked_in_plain_asterisk(stage: Stage, client: str):
    """The number belongs to 102, and 102 rings."""
    await asked(stage, ASKED, client, stage.boris)


@scenario("79035551052", answered_in(BORIS), needs_daemon=True)
async def asked_in_freepbx(stage: Stage, client: str):
    """The same by the custom destination for FreePBX."""
    await asked(stage, ASKED_FREEPBX, client, stage.boris)


@scenario("79035551053", answered_in(BORIS), needs_daemon=True)
async def asked_in_mikopbx(stage: Stage, client: str):
    """The same by the hook for MikoPBX."""
    await asked(stage, ASKED_MIKOPBX, client, stage.boris)


@scenario("79035551054", answered_in(VERA), needs_daemon=True)
async def asked_and_not_taken(stage: Stage, client: str):
    """102 does not take it: the call goes its usual way, to 103."""
    stage.vera.manner = answers()
    call = await stage.client_calls(ASKED_MIKOPBX, client)
    await stage.boris.next_call()
    desk = await stage.vera.next_call()
    await stage.talk(call, desk)
    await call.hang_up()


@scenario("79035551055", answered_in(ANNA), needs_daemon=True)
async def asked_after_a_change(stage: Stage, client: str):
    """The number is given to 101, and the next call rings 101."""
    await stage.daemon.change_company('employee = "boris"', 'employee = "anna"')
    try:
        await asked(stage, ASKED, client, stage.anna)
    finally:
        await stage.daemon.change_company('employee = "anna"', 'employee = "boris"')


@scenario("79035551059", Holding(
    contacts=[Contact(ANNA)],
    # The second call finds the first one's deal open.
    deals=[Deal(3100, 3103, BORIS)],
    calls=[Call("in", True, BORIS, (1, 3), "deal"), Call("in", True, ANNA, (1, 3), "deal")],
), needs_daemon=True)
async def asked_for_the_manager(stage: Stage, client: str):
    """The manager of the CRM's card rings; the card is handed over, and the new one rings."""
    contact = await stage.lab.add_contact(client, BORIS)
    await stage.daemon.until_named(client, "102")
    await asked(stage, ASKED_FOR_MANAGER, client, stage.boris)
    await stage.clear()
    # The first call's deal is the first manager's: it is made before the card changes hands.
    await stage.daemon.until_at_rest()
    await stage.lab.give_contact(contact, ANNA)
    await stage.daemon.until_named(client, "101")
    await asked(stage, ASKED_FOR_MANAGER, client, stage.anna)


@scenario("79035551061", Holding(
    contacts=[Contact(BORIS)],
    deals=[Deal(3100, 3103, BORIS)],
    calls=[Call("in", True, BORIS, (1, 3), "deal")],
), needs_daemon=True)
async def asked_for_a_client_named_as_a_command(stage: Stage, client: str):
    """The client's name is AGI commands: it comes as one value, and nothing of it is done."""
    mark = stage.server.folder / "done-by-a-client"
    name = f'x\nEXEC System "touch {mark}"\nSET VARIABLE TRUNKLINE_EXTEN "103"'
    await stage.lab.add_contact(client, BORIS, name)
    await stage.daemon.until_named(client, "102")
    since = len(stage.heard)
    call, desk, _ = await rings(stage, ASKED_FOR_MANAGER, client, stage.boris)
    begun = await stage.observer.event("Newchannel", since, Exten=ASKED_FOR_MANAGER)
    shown = await stage.observer.order(
        "Getvar", Channel=begun["Channel"], Variable="TRUNKLINE_CLIENT"
    )
    await stage.talk(call, desk)
    await call.hang_up()
    if shown["Value"] != name.replace("\n", " "):
        raise RuntimeError(f"the name came as {shown['Value']!r}")
    if mark.exists():
        raise RuntimeError("a client's name was carried out")


@scenario("79035551056", answered_in(VERA, (1, 30)), needs_daemon=True)
async def asked_while_the_daemon_is_dead(stage: Stage, client: str):
    """Nobody is there to answer: 103 rings at once."""
    await stage.daemon.kill()
    try:
        call, desk, seconds = await rings(stage, ASKED, client, stage.vera)
        await stage.talk(call, desk)
    finally:
        await stage.daemon.start()
        await stage.daemon.until_watching()
    if seconds > AT_ONCE_SECONDS_MAX:
        raise RuntimeError(f"the call rang after {seconds:.2f} s")
    print(f"       dead: 103 rang after {seconds:.2f} s", flush=True)
    await stage.talk(call, desk)
    await call.hang_up()


@scenario("79035551057", answered_in(VERA, (1, 30)), needs_daemon=True)
async def asked_while_the_daemon_hangs(stage: Stage, client: str):
    """The daemon takes the connection and says nothing: 103 rings within 1.5 s."""
    stage.daemon.freeze()
    try:
        call, desk, seconds = await rings(stage, ASKED, client, stage.vera)
        await stage.talk(call, desk)
    finally:
        stage.daemon.thaw()
        await stage.daemon.until_watching()
    if not ASKED_SECONDS_MIN < seconds < HUNG_SECONDS_MAX:
        raise RuntimeError(f"the call rang after {seconds:.2f} s")
    print(f"       hung: 103 rang after {seconds:.2f} s", flush=True)
    await stage.talk(call, desk)
    await call.hang_up()


# A line of the source's settings.
SETTINGS = 'username = "trunkline"'
# Reading what is there takes some seconds, and a change in the CRM up to 15 more.
COPIED_SECONDS_MAX = 40


async def until_copied(stage: Stage, expected: dict[str, str] | None):
    """Returns when these rows are in Asterisk's database and it may be used; None: no row at all."""
    deadline = time.monotonic() + COPIED_SECONDS_MAX
    base = "/trunkline/company/office"
    wanted = {f"{base}/{name}": value for name, value in (expected or {}).items()}
    while True:
        rows = await stage.observer.rows("trunkline")
        usable = f"{base}/about/until" in rows and wanted.items() <= rows.items()
        if usable if expected is not None else not rows:
            return
        if time.monotonic() > deadline:
            raise RuntimeError(f"the copy is not as it should be: {rows}")
        await asyncio.sleep(0.2)


async def hangs_and_rings(stage: Stage, our_number: str, client: str, desk: SipPhone):
    """The daemon hangs, and the copy says who rings."""
    stage.daemon.freeze()
    try:
        call, leg, seconds = await rings(stage, our_number, client, desk)
        await stage.talk(call, leg)
    finally:
        stage.daemon.thaw()
        await stage.daemon.until_watching()
    if not ASKED_SECONDS_MIN < seconds < HUNG_SECONDS_MAX:
        raise RuntimeError(f"the call rang after {seconds:.2f} s")
    print(f"       hung, with the copy: {desk.user} rang after {seconds:.2f} s", flush=True)
    await stage.talk(call, leg)
    await call.hang_up()
    await stage.clear()
    await stage.daemon.until_at_rest()


@scenario("79035551060", Holding(
    contacts=[Contact(ANNA)],
    deals=[Deal(3100, 3103, BORIS)],
    calls=[
        Call("in", True, BORIS, (1, 30), "deal"),
        Call("in", True, ANNA, (1, 30), "deal"),
        Call("in", True, BORIS, (1, 30), "deal"),
    ],
), needs_daemon=True)
async def copied_into_asterisk(stage: Stage, client: str):
    """With the copy in Asterisk's database the manager rings while the daemon is dead or hangs."""
    contact = await stage.lab.add_contact(client, BORIS)
    await stage.daemon.until_named(client, "102")
    await stage.daemon.change_company(SETTINGS, f"{SETTINGS}\nastdb_mirror = {{}}")
    try:
        await until_copied(stage, {f"client/60/{client}": "boris", "manager/boris": "102"})
        await stage.daemon.until_at_rest()
        await stage.daemon.kill()
        try:
            # As it is dialled inside the country.
            begun = time.monotonic()
            stage.boris.manner = answers()
            call = await stage.client_calls(ASKED_FOR_MANAGER, f"8{client[1:]}")
            desk = await stage.boris.next_call()
            seconds = time.monotonic() - begun
            await stage.talk(call, desk)
        finally:
            await stage.daemon.start()
            await stage.daemon.until_watching()
        if seconds > AT_ONCE_SECONDS_MAX:
            raise RuntimeError(f"the call rang after {seconds:.2f} s")
        print(f"       dead, with the copy: 102 rang after {seconds:.2f} s", flush=True)
        await stage.talk(call, desk)
        await call.hang_up()
        await stage.clear()
        await stage.daemon.until_at_rest()
        await stage.lab.give_contact(contact, ANNA)
        await until_copied(stage, {f"client/60/{client}": "anna"})
        await hangs_and_rings(stage, ASKED_FOR_MANAGER, client, stage.anna)
        # A number of ours that is one employee's is so in the copy, whoever calls.
        await hangs_and_rings(stage, ASKED, client, stage.boris)
    finally:
        await stage.daemon.change_company(f"{SETTINGS}\nastdb_mirror = {{}}", SETTINGS)
        await until_copied(stage, None)


@scenario("79035551058", answered_in(BORIS), needs_daemon=True)
async def asked_when_the_daemon_is_back(stage: Stage, client: str):
    """The first call after both: 102 rings at once."""
    await asked(stage, ASKED, client, stage.boris)
