"""The endpoints that have a description, and what is asked of each."""

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import examples
from office import CLIENT, Office

DOCS = Path(__file__).resolve().parents[2] / "docs"

CHECKS = (
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance",
    "response_headers_conformance", "unsupported_method", "allow_header_conformance", "missing_required_header",
    "negative_data_rejection", "positive_data_acceptance", "ignored_auth",
    # Our own: hooks.py.
    "refusals_are_problem_documents", "a_refusal_changes_no_file",
)

# A question that fits the description may still ask for what cannot be: the file changed meanwhile
# (412), If-Match was not drawn (428), a number, a name or a setting means nothing (422).
WELL_FORMED = ("2xx", "401", "403", "404", "409", "412", "413", "422", "428", "429", "5xx")

# What does not fit the description may be refused before that is seen: the file changed meanwhile
# (412), the body or the query is too long (413, 414).
REFUSED = ("400", "401", "403", "404", "405", "409", "412", "413", "414", "415", "422", "428", "429", "5xx")


@dataclass(frozen=True)
class Door:
    """An endpoint."""

    name: str
    url: str
    document: dict
    bodies: dict = field(default_factory=dict)
    parameters: dict = field(default_factory=dict)
    checks: tuple = CHECKS
    well_formed: tuple = WELL_FORMED

    def operations(self) -> list[str]:
        """Returns every operation by its name."""
        paths = self.document["paths"].items()
        return sorted(f"{self.name} {method.upper()} {path}" for path, methods in paths for method in methods)

    def write(self, folder: Path) -> Path:
        """Writes the description, with the examples in it, and what it refers to."""
        shutil.copy(DOCS / "webhook.schema.json", folder)
        path = folder / f"openapi-{self.name}.json"
        path.write_text(json.dumps(examples.add(self.document, self.bodies, self.parameters)))
        return path


def without(*names: str) -> tuple:
    return tuple(name for name in CHECKS if name not in names)


def doors(office: Office) -> list[Door]:
    """Returns all of them. The administrator's describes itself, the others are described in docs/."""
    admin, _ = office.admin("/openapi.json")
    read = lambda name: json.loads((DOCS / name).read_text())
    event = "POST /v1/events/{tenant}/{source}/{secret}"
    lookup = "GET /v1/lookup/{tenant}/{source}"
    return [
        Door("admin", office.base, admin, examples.bodies(office), examples.parameters(office)),
        Door(
            "intake", office.intake, read("openapi-intake.json"), {event: office.call("call-3", CLIENT)},
            {event: {"source": "site", "secret": office.secret("site-hook")}},
            # A path is nothing or is posted to, and nobody learns which; what fits the schema may still
            # be a call that ends before it began; and null is as good as a missing key, which the schema
            # does not say of lists (docs/webhook.md).
            checks=without("unsupported_method", "allow_header_conformance", "positive_data_acceptance",
                           "negative_data_rejection", "ignored_auth")),
        Door(
            "questions", office.questions, read("openapi-questions.json"), {},
            {lookup: {"phone": CLIENT, "did": "+74950000001"}},
            checks=without("ignored_auth"), well_formed=(*WELL_FORMED, "414")),
    ]
