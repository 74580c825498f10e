"""The mail server's pages, made to be read without colours, without a mouse, and aloud."""

from __future__ import annotations

from collections.abc import Sequence
from email.message import EmailMessage
from typing import TYPE_CHECKING

from jinja2 import DictLoader, Environment, StrictUndefined

if TYPE_CHECKING:
    from deploy.local.mailbox import Mail

LAYOUT = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{% block title %}{% endblock %}</title>
<style>
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { max-width: 70rem; margin: 0 auto; padding: 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .4rem .8rem .4rem 0; border-bottom: 1px solid; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; }
iframe { width: 100%; height: 34rem; border: 1px solid; background: #fff; }
a:focus-visible { outline: 3px solid; outline-offset: 2px; }
</style>
</head>
<body><main>{% block main %}{% endblock %}</main></body>
</html>
"""
LIST = """\
{% extends "layout" %}
{% block title %}Mail of this stack{% endblock %}
{% block main %}
<h1>Mail of this stack</h1>
<p>Every mail Foci sends on this machine ends here; none is delivered to anybody.
{{ total }} {{ "mail" if total == 1 else "mails" }} kept{% if to %}, shown are those to {{ to }}
(<a href="/">show all</a>){% endif %}. Load the page again to see new ones.</p>
{% if mails %}
<table>
<caption>Newest first, times in UTC</caption>
<thead><tr><th scope="col">Taken at</th><th scope="col">To</th><th scope="col">Subject</th></tr></thead>
<tbody>
{% for mail in mails %}
<tr>
<td>{{ mail.at.strftime("%Y-%m-%d %H:%M:%S") }}</td>
<td>{% for one in mail.recipients %}<a href="/?to={{ one | urlencode }}">{{ one }}</a> {% endfor %}</td>
<td><a href="/mails/{{ mail.id }}">{{ mail.head["Subject"] or "(no subject)" }}</a></td>
</tr>
{% endfor %}
</tbody>
</table>
{% else %}
<p>There is none yet. Book something, for instance, and wait half a minute. In a person's quiet hours (21:00 to 07:00
where they are, unless they chose otherwise) only what cannot wait is mailed; the rest comes when they are over.</p>
{% endif %}
{% endblock %}
"""
MAIL = """\
{% extends "layout" %}
{% block title %}{{ message["Subject"] or "(no subject)" }}{% endblock %}
{% block main %}
<p><a href="/">All mails</a></p>
<h1>{{ message["Subject"] or "(no subject)" }}</h1>
<table>
<caption>Headers</caption>
<tbody>
{% for name, value in message.items() %}<tr><th scope="row">{{ name }}</th><td>{{ value }}</td></tr>
{% endfor %}
</tbody>
</table>
<p><a href="/mails/{{ mail.id }}/source">Source of the mail</a></p>
{% for part in parts %}
<h2>{{ part.name }}</h2>
{% if part.html %}<iframe title="The mail as HTML" sandbox="allow-popups allow-popups-to-escape-sandbox"
srcdoc="{{ '<base target=_blank>' + part.text }}"></iframe>
{% else %}<pre>{{ part.text }}</pre>
{% endif %}
{% endfor %}
{% endblock %}
"""

_pages = Environment(
    loader=DictLoader({"layout": LAYOUT, "list": LIST, "mail": MAIL}),
    autoescape=True,
    undefined=StrictUndefined,
)


def list_page(mails: Sequence[Mail], *, total: int, to: str | None) -> str:
    """The newest mails."""
    return _pages.get_template("list").render(mails=mails, total=total, to=to)


def mail_page(mail: Mail) -> str:
    """One mail with its headers and parts."""
    message = mail.message
    return _pages.get_template("mail").render(
        mail=mail, message=message, parts=list(map(_part, _leaves(message)))
    )


def _leaves(message: EmailMessage) -> list[EmailMessage]:
    return [part for part in message.walk() if isinstance(part, EmailMessage) and not part.is_multipart()]


def _part(part: EmailMessage) -> dict[str, object]:
    kind = part.get_content_type()
    try:
        content = part.get_content()
    except (LookupError, ValueError) as error:
        content = f"This part cannot be shown: {error}."
    text = content if isinstance(content, str) else f"{len(content)} bytes"
    name = part.get_filename()
    return {"name": f"{kind} ({name})" if name else kind, "html": kind == "text/html", "text": text}
