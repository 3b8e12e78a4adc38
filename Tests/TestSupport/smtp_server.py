# SPDX-License-Identifier: Apache-2.0
"""A real SMTP server for the tests. Writes what it was sent, decoded by Python's email package, as JSON lines.

usage: smtp_server.py FOLDER [--refuse-first N] [--refuse-always]
           [--certificate PEM --key PEM --user U --password P [--implicit]]

FOLDER/port appears when it listens; FOLDER/log.jsonl gets one line for each RCPT and each message.
"""
import argparse
import asyncio
import email
import email.policy
import json
import os
import ssl

from aiosmtpd.smtp import SMTP, AuthResult

arguments = argparse.ArgumentParser()
arguments.add_argument("folder")
arguments.add_argument("--refuse-first", type=int, default=0)
arguments.add_argument("--refuse-always", action="store_true")
arguments.add_argument("--certificate")
arguments.add_argument("--key")
arguments.add_argument("--implicit", action="store_true", help="encrypted from the start, as smtps:// is")
arguments.add_argument("--user")
arguments.add_argument("--password")
options = arguments.parse_args()


def note(**fields):
    with open(os.path.join(options.folder, "log.jsonl"), "a", encoding="utf-8") as log:
        log.write(json.dumps(fields, ensure_ascii=False) + "\n")


class Handler:
    def __init__(self):
        self.asked = 0

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        self.asked += 1
        note(event="rcpt", to=address)
        if options.refuse_always:
            return "550 5.1.1 no such mailbox"
        if self.asked <= options.refuse_first:
            return "451 4.3.2 try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        raw = envelope.original_content
        message = email.message_from_bytes(raw, policy=email.policy.default)
        defects = [repr(defect) for defect in message.defects]
        for _, value in message.items():
            defects += [repr(defect) for defect in value.defects]
        note(
            event="message",
            sender=envelope.mail_from,
            recipients=envelope.rcpt_tos,
            subject=str(message["Subject"]),
            body=message.get_content().replace("\r\n", "\n"),
            headers={name: str(value) for name, value in message.items()},
            defects=defects,
            longestLine=max(len(line) for line in raw.split(b"\r\n")),
            ascii=raw.isascii(),
            encrypted=session.ssl is not None,
            authenticated=bool(session.authenticated),
        )
        return "250 OK"


def authenticate(server, session, envelope, mechanism, data):
    right = data.login == options.user.encode() and data.password == options.password.encode()
    return AuthResult(success=right, handled=right)


async def main():
    settings = {"hostname": "mail.test"}
    context = None
    if options.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.certificate, options.key)
        settings.update(auth_required=True, authenticator=authenticate)
        if options.implicit:
            settings.update(auth_require_tls=False)
        else:
            settings.update(tls_context=context, require_starttls=True)
    handler = Handler()
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(handler, **settings), "127.0.0.1", 0, ssl=context if options.implicit else None
    )
    port = server.sockets[0].getsockname()[1]
    with open(os.path.join(options.folder, "port.partial"), "w") as file:
        file.write(str(port))
    os.rename(os.path.join(options.folder, "port.partial"), os.path.join(options.folder, "port"))
    async with server:
        await server.serve_forever()


asyncio.run(main())
