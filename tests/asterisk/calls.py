"""The calls of a day: what happens in each, and beside it what the CRM must hold afterwards."""

import asyncio

from expectations import Call, Contact, Deal, Holding
from manners import answers, diverts, refuses
from playback import plays_back
from scenario import (
    ANNA, BORIS, DEFAULT, DESK, MENU, NOBODY, NOTHING, OVERFLOW, PAIR, QUEUE, SALES, TAPED,
    Chapter, answered_in, answered_out, missed_in, missed_out,
)
from sip_leg import CallFailed
from stage import Stage

CALLS = Chapter()
scenario = CALLS.scenario


# ---- one phone ------------------------------------------------------------------------------


@scenario("79035551001", answered_in(ANNA))
async def inbound_answered(stage: Stage, client: str):
    """101 answers, the client hangs up."""
    stage.anna.manner = answers()
    call = await stage.client_calls(DESK, client)
    desk = await stage.anna.next_call()
    await stage.talk(call, desk)
    await call.hang_up()


@scenario("79035551002", missed_in(ANNA))
async def inbound_missed(stage: Stage, client: str):
    """101 rings in vain until the exchange gives up."""
    call = await stage.client_calls(DESK, client)
    await call.until("ringing")
    await call.until("over")


@scenario("79035551003", missed_in(ANNA))
async def inbound_busy(stage: Stage, client: str):
    """101 is busy."""
    stage.anna.manner = refuses(486)
    call = await stage.client_calls(DESK, client)
    await call.until("over")


@scenario("79035551004", missed_in(ANNA))
async def inbound_declined(stage: Stage, client: str):
    """101 presses the red button."""
    stage.anna.manner = refuses(603, after=0.6)
    call = await stage.client_calls(DESK, client)
    await call.until("over")


@scenario("79035551005", missed_in(ANNA))
async def inbound_caller_hangup(stage: Stage, client: str):
    """The client gives up while 101 rings."""
    call = await stage.client_calls(DESK, client)
    await call.until("ringing")
    await asyncio.sleep(1)
    await call.give_up()


@scenario("79035551006", missed_in(NOBODY))
async def inbound_unregistered(stage: Stage, client: str):
    """101's phone is off: nobody is rung at all."""
    await stage.anna.register(expires=0)
    call = await stage.client_calls(DESK, client)
    await call.until("over")
    await stage.anna.register()


@scenario("79035551007", missed_in(ANNA))
async def inbound_ivr_answered_then_missed(stage: Stage, client: str):
    """A menu answers, then 101 rings in vain: the line was up, yet nobody talked."""
    call = await stage.client_calls(MENU, client)
    await call.until("talking")
    await stage.anna.next_call()
    await call.until("over")


@scenario("79035551008", answered_in(ANNA))
async def inbound_ivr_answered_then_answered(stage: Stage, client: str):
    """A menu answers, then 101 does."""
    stage.anna.manner = answers()
    call = await stage.client_calls(MENU, client)
    desk = await stage.anna.next_call()
    await stage.talk(desk)
    await call.hang_up()


@scenario("79035551009", answered_in(ANNA, (1, 4)))
async def hold_unhold(stage: Stage, client: str):
    """101 puts the client on hold and comes back."""
    stage.anna.manner = answers()
    call = await stage.client_calls(DESK, client)
    desk = await stage.anna.next_call()
    await stage.talk(call, desk, seconds=0.6)
    await desk.hold()
    await asyncio.sleep(0.8)
    await desk.resume()
    await stage.talk(call, desk, seconds=0.6)
    await desk.hang_up()


@scenario("79035551010", answered_in(ANNA))
async def recording(stage: Stage, client: str):
    """The talk is recorded, and played from the address in its entry."""
    stage.anna.manner = answers()
    call = await stage.client_calls(TAPED, client)
    desk = await stage.anna.next_call()
    await stage.talk(call, desk)
    await call.hang_up()
    tapes = [path for path in stage.server.recordings() if client in path.name]
    if not tapes:
        raise CallFailed("no recording was written")
    if stage.lab is not None:
        await plays_back(stage.lab.control, client, tapes[0])


# ---- several phones -------------------------------------------------------------------------


@scenario("79035551011", answered_in(BORIS))
async def parallel_ring(stage: Stage, client: str):
    """101 and 102 ring together, 102 answers."""
    stage.boris.manner = answers(after=1)
    call = await stage.client_calls(PAIR, client)
    await stage.anna.next_call()
    desk = await stage.boris.next_call()
    await stage.talk(call, desk)
    await call.hang_up()


@scenario("79035551012", missed_in(NOBODY))
async def parallel_ring_missed(stage: Stage, client: str):
    """101 rings in vain, 102 becomes busy meanwhile."""
    stage.boris.manner = refuses(486, after=0.8)
    call = await stage.client_calls(PAIR, client)
    await call.until("over")


@scenario("79035551013", answered_in(BORIS))
async def overflow_answered(stage: Stage, client: str):
    """101 rings in vain, the call moves on to 102, who answers."""
    stage.boris.manner = answers()
    call = await stage.client_calls(OVERFLOW, client)
    await stage.anna.next_call()
    desk = await stage.boris.next_call()
    await stage.talk(call, desk)
    await call.hang_up()


@scenario("79035551014", answered_in(BORIS))
async def pickup(stage: Stage, client: str):
    """101 rings, 102 takes the call with *8."""
    call = await stage.client_calls(DESK, client)
    await stage.anna.next_call()
    await call.until("ringing")
    taken = await stage.boris.call("*8")
    await stage.talk(call, taken)
    await call.hang_up()


@scenario("79035551015", answered_in(BORIS))
async def inbound_forwarded_302(stage: Stage, client: str):
    """101's phone diverts to 102, who answers."""
    stage.anna.manner = diverts("102")
    stage.boris.manner = answers()
    call = await stage.client_calls(DESK, client)
    desk = await stage.boris.next_call()
    await stage.talk(call, desk)
    await call.hang_up()


@scenario("79035551016", answered_in(BORIS))
async def queue_answered(stage: Stage, client: str):
    """A queue rings 101 and 102; 102 answers."""
    stage.boris.manner = answers(after=1)
    call = await stage.client_calls(QUEUE, client)
    desk = await stage.boris.next_call()
    await stage.talk(call, desk)
    await call.hang_up()


@scenario("79035551017", answered_in(BORIS))
async def queue_local_members_answered(stage: Stage, client: str):
    """The same where the members are Local channels."""
    stage.boris.manner = answers(after=1)
    call = await stage.client_calls(SALES, client)
    desk = await stage.boris.next_call()
    await stage.talk(call, desk)
    await call.hang_up()


@scenario("79035551018", missed_in(NOBODY))
async def queue_abandon(stage: Stage, client: str):
    """The client leaves the queue while two phones ring."""
    call = await stage.client_calls(QUEUE, client)
    await call.until("talking")
    await stage.anna.next_call()
    await stage.boris.next_call()
    await asyncio.sleep(1)
    await call.hang_up()


@scenario("79035551019", missed_in(NOBODY))
async def queue_local_members_abandon(stage: Stage, client: str):
    """The client leaves the queue of Local members."""
    call = await stage.client_calls(SALES, client)
    await call.until("talking")
    await stage.anna.next_call()
    await stage.boris.next_call()
    await asyncio.sleep(1)
    await call.hang_up()


# ---- transfers ------------------------------------------------------------------------------


@scenario("79035551020", answered_in(BORIS, (2, 6)))
async def blind_transfer(stage: Stage, client: str):
    """101 sends the client on to 102 unannounced; 102 answers."""
    stage.anna.manner = stage.boris.manner = answers()
    call = await stage.client_calls(DESK, client)
    first = await stage.anna.next_call()
    await stage.talk(call, first)
    await first.transfer_to("102")
    second = await stage.boris.next_call()
    await stage.talk(second)
    await first.hang_up()
    await call.hang_up()


@scenario("79035551021", answered_in(ANNA, (1, 3)))
async def blind_transfer_missed(stage: Stage, client: str):
    """101 sends the client on to 102, where nobody answers: 101 has talked, the call counts."""
    stage.anna.manner = answers()
    call = await stage.client_calls(DESK, client)
    first = await stage.anna.next_call()
    await stage.talk(call, first)
    await first.transfer_to("102")
    await stage.boris.next_call()
    await call.until("over")
    await first.hang_up()


@scenario("79035551022", answered_in(BORIS, (2, 7)))
async def attended_transfer(stage: Stage, client: str):
    """101 holds the client, asks 102, then joins them (REFER with Replaces)."""
    stage.anna.manner = stage.boris.manner = answers()
    call = await stage.client_calls(DESK, client)
    first = await stage.anna.next_call()
    await stage.talk(call, first, seconds=1)
    await first.hold()
    question = await stage.anna.call("102")
    second = await stage.boris.next_call()
    await stage.talk(question, second, seconds=1)
    await first.transfer_to("102", replacing=question)
    await first.until("referred")
    await first.hang_up()
    await question.hang_up()
    await stage.talk(call, second)
    await call.hang_up()


@scenario("79035551023", answered_in(ANNA, (2, 7)))
async def attended_transfer_cancelled(stage: Stage, client: str):
    """101 asks 102, then goes back to the client: the question was an internal call."""
    stage.anna.manner = stage.boris.manner = answers()
    call = await stage.client_calls(DESK, client)
    first = await stage.anna.next_call()
    await stage.talk(call, first, seconds=1)
    await first.hold()
    question = await stage.anna.call("102")
    second = await stage.boris.next_call()
    await stage.talk(question, second, seconds=1)
    await question.hang_up()
    await first.resume()
    await stage.talk(call, first, seconds=1)
    await call.hang_up()


@scenario("79035551024", answered_in(BORIS, (2, 20)))
async def attended_transfer_feature(stage: Stage, client: str):
    """The exchange's own attended transfer, ordered over the manager interface (Atxfer)."""
    stage.anna.manner = stage.boris.manner = answers()
    mark = len(stage.heard)
    call = await stage.client_calls(DESK, client)
    first = await stage.anna.next_call()
    await stage.talk(call, first, seconds=1)
    channel = await stage.channel_of("101", mark)
    await stage.observer.order("Atxfer", Channel=channel, Exten="102", Context="from-internal")
    second = await stage.boris.next_call(within=20)
    await stage.talk(second, seconds=1)
    await first.hang_up()
    await stage.talk(call, second)
    await call.hang_up()


# ---- outgoing, internal, click-to-call --------------------------------------------------------


@scenario("79035551025", answered_out(ANNA))
async def outbound_answered(stage: Stage, client: str):
    """101 calls a client, who answers."""
    stage.provider.manner = answers()
    call = await stage.anna.call(client)
    far = await stage.provider.next_call()
    await stage.talk(call, far)
    await call.hang_up()


@scenario("79035551026", missed_out(ANNA))
async def outbound_noanswer(stage: Stage, client: str):
    """101 calls a client, who does not answer."""
    call = await stage.anna.call(client)
    await stage.provider.next_call()
    await call.until("over")


@scenario("79035551027", missed_out(ANNA))
async def outbound_busy(stage: Stage, client: str):
    """101 calls a client, who is busy."""
    stage.provider.manner = refuses(486, after=0.6)
    call = await stage.anna.call(client)
    await call.until("over")


@scenario("79035551028", answered_out(BORIS))
async def outbound_with_prefix(stage: Stage, client: str):
    """102 dials 9 for an outside line and 8 for the country (S1-29)."""
    stage.provider.manner = answers()
    call = await stage.boris.call("98" + client[1:])
    far = await stage.provider.next_call()
    if far.called != client:
        raise CallFailed(f"the provider was asked for {far.called}")
    await stage.talk(call, far)
    await far.hang_up()


@scenario("79035551029", NOTHING)
async def internal_call(stage: Stage, client: str):
    """101 calls 102: nothing for a CRM. The check of the totals sees it."""
    stage.boris.manner = answers()
    call = await stage.anna.call("102")
    desk = await stage.boris.next_call()
    await stage.talk(call, desk)
    await call.hang_up()


@scenario("79031110103", NOTHING)
async def own_mobile(stage: Stage, client: str):
    """Vera calls the office from her own mobile (S1-28)."""
    stage.anna.manner = answers()
    call = await stage.client_calls(DESK, client)
    desk = await stage.anna.next_call()
    await stage.talk(call, desk)
    await call.hang_up()


async def _click_to_call(stage: Stage, client: str) -> int:
    """Orders the call as an employee's program does; without a daemon the observer orders it."""
    mark = len(stage.heard)
    if stage.daemon is not None:
        communication = await stage.daemon.place_call("anna", client)
        begun = await stage.observer.until(
            lambda notice: notice["Event"] == "Newchannel"
            and notice["Channel"].startswith("PJSIP/101-"), mark, what="channel of 101",
        )
        # The call that follows has the name that the order was answered with.
        assert communication == f"company/office/{begun['Linkedid']}", (communication, begun)
        return mark
    await stage.observer.order(
        "Originate", Channel="PJSIP/101", Context="from-internal", Exten=client, Priority="1",
        CallerID=f'"{client}" <{client}>', Timeout="2500", Async="true",
        ChannelId=f"click-{client}",
    )
    return mark


@scenario("79035551030", answered_out(ANNA))
async def originate_click_to_call(stage: Stage, client: str):
    """Click-to-call: 101 picks up, then the client is called and answers."""
    stage.anna.manner = stage.provider.manner = answers()
    await _click_to_call(stage, client)
    desk = await stage.anna.next_call()
    far = await stage.provider.next_call()
    await stage.talk(desk, far)
    await far.hang_up()


@scenario("79035551031", NOTHING)
async def originate_agent_busy(stage: Stage, client: str):
    """Click-to-call: 101 is busy, so the client was never called."""
    stage.anna.manner = refuses(486, after=0.4)
    mark = await _click_to_call(stage, client)
    await stage.observer.event("OriginateResponse", mark, Response="Failure")


@scenario("79035551032", NOTHING)
async def originate_agent_noanswer(stage: Stage, client: str):
    """Click-to-call: 101 does not pick up, so the client was never called."""
    mark = await _click_to_call(stage, client)
    await stage.observer.event("OriginateResponse", mark, Response="Failure")


# ---- one client several times ---------------------------------------------------------------


@scenario("79035551033", Holding(
    contacts=[Contact(DEFAULT)],
    # A makes the first; C finds it open and makes none; D makes one always.
    deals=[Deal(3100, 3102, DEFAULT), Deal(3200, 3202, DEFAULT)],
    calls=[
        Call("in", True, ANNA, (1, 3), "deal"),
        Call("in", True, BORIS, (1, 3), "deal"),
        Call("in", False, ANNA, (0, 0), "deal"),
    ],
))
async def same_client_again(stage: Stage, client: str):
    """The first call makes the contact, the second and the third find it."""
    stage.anna.manner = answers()
    call = await stage.client_calls(DESK, client)
    await stage.talk(call, await stage.anna.next_call())
    await call.hang_up()

    stage.anna.manner = refuses(486)
    stage.boris.manner = answers()
    call = await stage.client_calls(PAIR, client)
    await stage.anna.next_call()
    await stage.talk(call, await stage.boris.next_call())
    await call.hang_up()

    call = await stage.client_calls(DESK, client)
    await call.until("over")
