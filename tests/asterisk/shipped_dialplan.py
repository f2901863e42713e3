"""The dialplan files of config/asterisk, with the names that an administrator puts in.

Plain Asterisk, FreePBX and MikoPBX have their contexts in one Asterisk here: conf/extensions.conf
has stand-ins for what the generated dialplans of the latter two call.
"""

from pathlib import Path

SHIPPED = Path(__file__).parents[2] / "config/asterisk"
# Who is asked as in the shipped files, and who is asked here.
EXAMPLE_SOURCE, SOURCE = "acme,office", "company,office"
EXAMPLE_ADDRESS = "127.0.0.1:4573"


def write_into(folder: Path, fastagi_port: int):
    for path in SHIPPED.glob("*.conf"):
        text = path.read_text()
        if path.name == "trunkline.conf":
            # Nobody edits this one.
            (folder / path.name).write_text(text)
            continue
        text = _replaced(text, EXAMPLE_SOURCE, SOURCE)
        text = _replaced(text, EXAMPLE_ADDRESS, f"127.0.0.1:{fastagi_port}")
        # Each has the subroutine in its own way; here it stands once.
        text = text.replace("#include trunkline.conf\n", "")
        text = text.split("\n; From here on it is trunkline.conf")[0] + "\n"
        if path.name == "plain.conf":
            text = _replaced(text, "[from-trunk]", "[plain]")
            text = _replaced(text, "PJSIP/101&PJSIP/102", "PJSIP/103")
        (folder / path.name).write_text(text)


def _replaced(text: str, example: str, own: str) -> str:
    if example not in text:
        raise RuntimeError(f"a shipped dialplan file has no {example} to put a name in for")
    return text.replace(example, own)
