"""What the simulated amoCRM holds, sorted by client."""

import http_json
from expectations import Contact, Deal, FoundCall, Holding, Unsorted

# crm/amocrm.md §11: the talk took place.
TALKED = 4


class CrmView:
    """One look at the account. Cards inside waiting unsorted records are not counted as cards."""

    def __init__(self, oracle: dict):
        self._oracle = oracle
        self._contacts = {card["id"]: card for card in oracle["contacts"]}
        self._leads = {lead["id"]: lead for lead in oracle["leads"]}
        companies = {card["id"]: card for card in oracle["companies"]}
        self._cards = {
            "contact": self._contacts, "lead": self._leads, "company": companies,
        }

    @classmethod
    async def take(cls, control: str) -> "CrmView":
        return cls(await http_json.get(f"{control}/oracle"))

    def contacts_of(self, phone: str) -> list[Contact]:
        return [Contact(card["responsible_user_id"]) for card in self._cards_of(phone)]

    def _cards_of(self, phone: str) -> list[dict]:
        return [
            card for card in self._contacts.values()
            if not card["in_unsorted"] and _has_number(card, phone)
        ]

    def leads_of(self, phone: str) -> list[Deal]:
        owners = {card["id"] for card in self._cards_of(phone)}
        return [
            Deal(lead["pipeline_id"], lead["status_id"], lead["responsible_user_id"])
            for lead in self._leads.values()
            if not lead["in_unsorted"] and owners & set(lead["contacts"])
        ]

    def unsorted_of(self, phone: str) -> list[Unsorted]:
        return [
            Unsorted(record["pipeline_id"], record["category"])
            for record in self._oracle["unsorted"] if record["phone"] == _last_ten(phone)
        ]

    def calls_of(self, phone: str) -> list[FoundCall]:
        return [
            self._call(call, phone)
            for call in self._oracle["calls"] if call["phone"] == _last_ten(phone)
        ]

    def _call(self, call: dict, phone: str) -> FoundCall:
        # The call event of an unsorted record has no status, only a length.
        talked = call["duration"] > 0 if call["status"] is None else call["status"] == TALKED
        employee = str(call["call_responsible"] or "")
        return FoundCall(
            direction={"inbound": "in", "outbound": "out"}[call["direction"]],
            answered=talked,
            employee=int(employee) if employee.isdigit() else None,
            talk_s=call["duration"],
            on=self._card_kind(call, phone),
            at=call["at"],
        )

    def _card_kind(self, call: dict, phone: str) -> str:
        """The kind of card that carries a call; says so when it is another client's."""
        kind = call["entity_type"].rstrip("s").replace("companie", "company")
        card = self._cards.get(kind, {}).get(call["entity_id"])
        if card is None:
            return f"missing {kind}"
        owners = [card]
        if kind == "lead":
            owners = [self._contacts[key] for key in card["contacts"] if key in self._contacts]
        if not any(_has_number(owner, phone) for owner in owners):
            return "card of another client"
        if card["in_unsorted"]:
            return "unsorted"
        return "deal" if kind == "lead" else kind

    def holding_of(self, phone: str) -> Holding:
        return Holding(
            contacts=self.contacts_of(phone),
            deals=self.leads_of(phone),
            unsorted=self.unsorted_of(phone),
            calls=self.calls_of(phone),
        )

    def totals(self) -> dict[str, int]:
        """Everything in the account, whoever it belongs to."""
        return {
            "contacts": sum(not card["in_unsorted"] for card in self._contacts.values()),
            "deals": sum(not lead["in_unsorted"] for lead in self._leads.values()),
            "unsorted": len(self._oracle["unsorted"]),
            "calls": len(self._oracle["calls"]),
            "tasks": len(self._oracle["tasks"]),
        }

    def duplicates(self) -> list[str]:
        """What the account itself finds there twice."""
        return [
            f"{count} {kind} {what}"
            for kind, there in self._oracle["duplicates"].items()
            for what, count in there.items()
        ]

    def rate_violations(self) -> int:
        return self._oracle["counters"]["rate_violations"]


def _last_ten(phone: str) -> str:
    return "".join(filter(str.isdigit, phone))[-10:]


def _has_number(card: dict, phone: str) -> bool:
    return any(_last_ten(own) == _last_ten(phone) for own in card.get("phones", ()))
