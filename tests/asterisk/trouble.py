"""Calls during which the daemon, the link or Asterisk itself goes away."""

import asyncio

import calls
from manners import answers
from scenario import ANNA, DESK, Chapter, answered_in, missed_in
from stage import Stage

TROUBLE = Chapter()
scenario = TROUBLE.scenario


@scenario("79035551034", answered_in(ANNA, (3, 30)), needs_daemon=True)
async def daemon_killed_in_mid_call(stage: Stage, client: str):
    """The daemon is killed while people talk and comes back before they end."""
    stage.anna.manner = answers()
    call = await stage.client_calls(DESK, client)
    desk = await stage.anna.next_call()
    await stage.talk(call, desk)
    await stage.daemon.kill()
    await asyncio.sleep(1)
    await stage.daemon.start()
    await stage.daemon.until_watching()
    await stage.talk(call, desk)
    await call.hang_up()


@scenario("79035551035", answered_in(ANNA, (3, 30)), needs_daemon=True)
async def link_cut_in_mid_call(stage: Stage, client: str):
    """The link to the exchange is cut while people talk and comes back before they end."""
    stage.anna.manner = answers()
    call = await stage.client_calls(DESK, client)
    desk = await stage.anna.next_call()
    await stage.talk(call, desk)
    stage.link.cut()
    await asyncio.sleep(1)
    stage.link.mend()
    await stage.daemon.until_watching()
    await stage.talk(call, desk)
    await call.hang_up()


@scenario("79035551036", answered_in(ANNA, (1, 30)), needs_daemon=True)
async def link_cut_while_ringing(stage: Stage, client: str):
    """101 answers while the link is down: the daemon finds a talk where it left a ring."""
    stage.anna.manner = answers(after=1.2)
    call = await stage.client_calls(DESK, client)
    desk = await stage.anna.next_call()
    await call.until("ringing")
    stage.link.cut()
    await stage.talk(call, desk, seconds=0.5)
    stage.link.mend()
    await stage.daemon.until_watching()
    await stage.talk(call, desk)
    await call.hang_up()


@scenario("79035551039", answered_in(ANNA), needs_daemon=True)
async def daemon_dead_for_a_call(stage: Stage, client: str):
    """The daemon is killed, a call comes and goes, the daemon is started again."""
    await stage.daemon.kill()
    await calls.inbound_answered(stage, client)
    await stage.clear()
    await stage.daemon.start()
    await stage.daemon.until_watching()


@scenario("79035551040", answered_in(ANNA, (3, 6)), needs_daemon=True)
async def call_ends_while_the_daemon_is_dead(stage: Stage, client: str):
    """The daemon is killed while people talk, and comes back long after they have hung up."""
    stage.anna.manner = answers()
    call = await stage.client_calls(DESK, client)
    desk = await stage.anna.next_call()
    await stage.talk(call, desk)
    await stage.daemon.kill()
    await stage.talk(call, desk)
    await call.hang_up()
    await stage.clear()
    await asyncio.sleep(4)
    await stage.daemon.start()
    await stage.daemon.until_watching()


@scenario("79035551041", missed_in(ANNA), needs_daemon=True)
async def link_cut_for_a_call(stage: Stage, client: str):
    """The link is cut; somebody rings in vain meanwhile."""
    stage.link.cut()
    await calls.inbound_caller_hangup(stage, client)
    await stage.clear()
    stage.link.mend()
    await stage.daemon.until_watching()


@scenario("79035551037", answered_in(ANNA, (1, 30)))
async def shutdown_mid_call(stage: Stage, client: str):
    """Asterisk is stopped while people talk, and started again."""
    stage.anna.manner = answers()
    call = await stage.client_calls(DESK, client)
    desk = await stage.anna.next_call()
    await stage.talk(call, desk)
    await stage.restart_asterisk()
    if stage.daemon is not None:
        await stage.daemon.until_watching()


@scenario("79035551038", answered_in(ANNA))
async def answered_after_restart(stage: Stage, client: str):
    """The first call after the restart."""
    await calls.inbound_answered(stage, client)
