"""What exists in the company, told to the description, so that questions reach something. The word
[`NOW`] stands for what is only known at the moment of the question; `hooks.py` puts it in."""

import json

from office import CLIENT, REFUSED_CLIENT, Office

NOW = "of-now"
# As an entity tag.
STATE = f'"{NOW}"'

# What a parameter is, wherever it stands.
ANYWHERE = {
    "tenant": "demo", "source": "office", "integration": "sales", "account": "main", "lang": "en", "limit": 20,
    "from": "2026-01-01T00:00:00Z", "until": "2099-01-01T00:00:00Z",
}
# Of what is changed.
SPARE = {"tenant": "spare", "integration": "spare", "account": "spare"}
# What is there to be removed; made anew where it is gone.
GOING = {"tenant": "spare", "integration": "going", "account": "going"}


def bodies(office: Office) -> dict[str, object]:
    """Returns a good body of every operation that takes one."""
    letter = office.admin("/v1/dead-letters")[0]["items"][0]
    item = {name: letter[name] for name in ("integration", "communication", "role")}
    portal = office.admin("/v1/accounts")[0]["items"][0]["portal"]
    file = (office.folder / "etc" / "tenants.d" / "demo.toml").read_text()
    settings = office.admin("/v1/tenants/spare/integrations/spare/settings")[0]["settings"]
    employees = office.admin("/v1/tenants/spare/employees")[0]["employees"]
    company = office.admin("/v1/tenants/spare/company")[0]["company"]
    source = office.admin("/v1/tenants/spare/sources/site")[0]["values"]
    return {
        "POST /v1/session": {"token": office.secret("admin-token")},
        "POST /v1/dead-letters/{wish}": {"items": [item]},
        "POST /v1/tenants/{tenant}/sources/{source}/calls": {"employee": "anna", "phone": CLIENT},
        "POST /v1/rehearsal": {"tenant": "demo", "last": 10, "all": True},
        "POST /v1/installations/{id}/accept": {"tenant": "demo", "account": "portal"},
        "POST /v1/check": {"settings": {"name": "demo.toml", "text": file}},
        "POST /v1/tenants": {"tenant": NOW, "name": "Новая", "time_zone": "Europe/Moscow", "region": "RU", "language": "ru"},
        "POST /v1/tenants/{tenant}/accounts": {
            "account": NOW, "crm": "amocrm", "title": "Новый", "address": f"https://{NOW}.amocrm.ru",
            "secrets": {"token": office.tokens[1]}},
        "PATCH /v1/tenants/{tenant}/accounts/{account}": {"title": "Другой"},
        "POST /v1/tenants/{tenant}/integrations": {
            "integration": NOW, "account": "spare", "title": "Новая", "takes": [{"source": "site", "kinds": ["chat"]}]},
        "PATCH /v1/tenants/{tenant}/integrations/{integration}": {"title": "Другая", "activity": "observe"},
        "PUT /v1/tenants/{tenant}/integrations/{integration}/settings": {"settings": settings},
        "POST /v1/tenants/{tenant}/integrations/{integration}/preview": {"kind": "call", "text": "{{ client_phone }}"},
        "PUT /v1/tenants/{tenant}/employees": {"employees": employees},
        "PUT /v1/tenants/{tenant}/company": {"company": company},
        "POST /v1/tenants/{tenant}/sources": {
            "source": NOW, "kind": "webhook", "values": {"name": "Новый"}, "secrets": {"hook": "h" * 40}},
        "PUT /v1/tenants/{tenant}/sources/{source}": {"values": source},
        "POST /v1/tenants/{tenant}/accounts/{account}/authorisation": {"code": NOW},
        "POST /v1/accounts/resume": {"portal": portal},
        "POST /v1/forget": {"phone": REFUSED_CLIENT},
        "POST /v1/directories/sync": {"portal": portal, "everything": True},
    }


def parameters(office: Office) -> dict[str, dict[str, object]]:
    """Returns the parameters that are others than `ANYWHERE`, by operation."""
    portal = {"tenant": "demo", "account": "portal"}
    letter = office.admin("/v1/dead-letters")[0]["items"][0]
    return {
        "POST /v1/dead-letters/{wish}": {"wish": "retry"},
        "GET /v1/dead-letters": {"integration": letter["integration"]},
        "GET /v1/outbox": {"integration": "demo/sales"},
        "GET /v1/journal": {"phone": CLIENT, "outcome": "done", "kind": "call"},
        "GET /v1/communications/{tenant}/{source}/{item}": {"source": "site", "item": "call-1", "again": True},
        "GET /v1/tenants/{tenant}/sources/{source}/lookup": {"phone": CLIENT, "did": "+74950000001"},
        "GET /v1/tenants/{tenant}/sources/{source}/test-call": {"phone": CLIENT, "since": ANYWHERE["from"]},
        "GET /v1/tenants/{tenant}/sources/{source}/roster": {"source": "cloud"},
        "GET /v1/tenants/{tenant}/integrations/{integration}/deals/by-id/{deal}": {"deal": office.deals()[0]},
        "POST /v1/installations/{id}/accept": {"id": NOW},
        "DELETE /v1/installations/{id}": {"id": NOW},
        "POST /v1/tenants/{tenant}/accounts/{account}/authorisation": portal,
        "DELETE /v1/tenants/{tenant}/accounts/{account}/authorisation": portal,
        "POST /v1/tenants/{tenant}/accounts/{account}/authorisation/link": portal,
        "POST /v1/tenants/{tenant}/accounts": SPARE,
        "POST /v1/tenants/{tenant}/integrations": SPARE,
        "PATCH /v1/tenants/{tenant}/accounts/{account}": SPARE,
        "PATCH /v1/tenants/{tenant}/integrations/{integration}": SPARE,
        "PUT /v1/tenants/{tenant}/integrations/{integration}/settings": SPARE,
        "PUT /v1/tenants/{tenant}/employees": SPARE,
        "PUT /v1/tenants/{tenant}/company": SPARE,
        "POST /v1/tenants/{tenant}/sources": SPARE,
        "PUT /v1/tenants/{tenant}/sources/{source}": {**SPARE, "source": "site"},
        "DELETE /v1/tenants/{tenant}/sources/{source}": {**GOING, "source": "going"},
        "DELETE /v1/tenants/{tenant}/accounts/{account}": GOING,
        "DELETE /v1/tenants/{tenant}/integrations/{integration}": GOING,
    }


def add(document: dict, of_bodies: dict, of_parameters: dict) -> dict:
    """Returns a description with the examples in it."""
    document = json.loads(json.dumps(document))
    known = {f"{method.upper()} {path}" for path, operations in document["paths"].items() for method in operations}
    strangers = (set(of_bodies) | set(of_parameters)) - known
    assert not strangers, f"examples of what is not there: {strangers}"
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            name = f"{method.upper()} {path}"
            values = {**ANYWHERE, **of_parameters.get(name, {}), "If-Match": STATE}
            for parameter in operation.get("parameters", []):
                if parameter["name"] in values:
                    parameter["example"] = values[parameter["name"]]
            if name in of_bodies:
                operation["requestBody"]["content"]["application/json"]["example"] = of_bodies[name]
    return document
