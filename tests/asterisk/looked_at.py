"""What `trunkline pbx discover` says about the office's Asterisk, beside what stands in conf/."""

from trunkline_processes import Daemon

ROLES = {"101": "extension", "102": "extension", "103": "extension", "trunk": "trunk"}
QUEUES = {"sales": ["101", "102"], "support": ["101", "102"]}
EMPLOYEES = {"101": ("Anna", "anna"), "102": ("Boris", "boris"), "103": ("Vera", "vera")}


async def complaints(daemon: Daemon) -> list[str]:
    found = await daemon.discovery()
    seen = {
        "complete": (True, found["complete"]),
        "endpoints": (ROLES, {one["name"]: one["role"] for one in found["endpoints"]}),
        "guesses that are not clear": (
            [], [one["name"] for one in found["endpoints"] if one["certainty"] != "clear"]
        ),
        "queues": (QUEUES, {one["name"]: one["members"] for one in found["queues"]}),
        "employees": (
            EMPLOYEES,
            {one["extension"]: (one["name"], one["known_as"]) for one in found["employees"]},
        ),
        "settings": ({"channels": {"trunks": ["trunk"]}}, found["settings"]),
    }
    return [
        f"pbx discover: {what} expected {expected}, found {there}"
        for what, (expected, there) in seen.items() if expected != there
    ]
