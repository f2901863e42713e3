"""The peer of the FastAGI measurement: what a careful person writes for one PBX in an afternoon.

One asyncio loop, one open SQLite connection, one prepared statement (sqlite3 keeps it). It speaks
to Asterisk as FastAGI libraries do, a command, its answer, the next one; or, to show what is left
where that makes no difference, as the daemon does: all commands in one write, then the end of
writing.

    fastagi_peer.py DATABASE CLIENTS by-command|one-write
                                         fills the database, prints the port, serves
"""

import asyncio
import sqlite3
import sys
import urllib.parse

EMPLOYEES = 50
FIND = "SELECT extension, client, manager FROM clients WHERE phone = ?"


def filled(path: str, clients: int) -> sqlite3.Connection:
    database = sqlite3.connect(path)
    database.execute(
        "CREATE TABLE clients (phone TEXT PRIMARY KEY, extension TEXT, client TEXT, manager TEXT)"
        " WITHOUT ROWID"
    )
    database.executemany(
        "INSERT INTO clients VALUES (?, ?, ?, ?)",
        (
            (str(79000000000 + number), str(100 + number % EMPLOYEES),
             f"Client number {number:07} of the company", f"Manager {number % EMPLOYEES}")
            for number in range(clients)
        ),
    )
    database.commit()
    return database


def quoted(value: str) -> str:
    plain = "".join(c if c.isprintable() else " " for c in value)
    return '"' + plain.replace("\\", "\\\\").replace('"', '\\"') + '"'


class Server:
    def __init__(self, database: sqlite3.Connection, one_write: bool):
        self._find = database.cursor()
        self._one_write = one_write

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        try:
            environment = dict(
                line.split(": ", 1)
                for line in (await reader.readuntil(b"\n\n")).decode().splitlines() if ": " in line
            )
            script = urllib.parse.urlsplit(environment["agi_network_script"])
            known = {"tenant", "source"} <= urllib.parse.parse_qs(script.query).keys()
            row = known and self._find.execute(FIND, (environment["agi_callerid"],)).fetchone()
            extension, client, manager = row or ("", "", "")
            route = "personal_manager" if extension else "none"
            commands = [
                f"SET VARIABLE TRUNKLINE_EXTEN {quoted(extension)}\n".encode(),
                f"SET VARIABLE TRUNKLINE_ROUTE {quoted(route)}\n".encode(),
                f"SET VARIABLE TRUNKLINE_CLIENT {quoted(client)}\n".encode(),
                f"SET VARIABLE TRUNKLINE_MANAGER {quoted(manager)}\n".encode(),
            ]
            if self._one_write:
                writer.write(b"".join(commands))
                writer.write_eof()
                await reader.read()
            else:
                for command in commands:
                    writer.write(command)
                    if not (await reader.readline()).startswith(b"200 result=1"):
                        break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


async def main():
    path, clients, way = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    server = Server(filled(path, clients), way == "one-write")
    listening = await asyncio.start_server(server.converse, "127.0.0.1", 0, backlog=1024)
    print(listening.sockets[0].getsockname()[1], flush=True)
    await listening.serve_forever()


asyncio.run(main())
