"""What a broker has to be told: configuration, users and rules, as files for mosquitto and for EMQX.

Both let a user in under its own name only, keep passwords as hashes, and let each board use its own topics and nothing else. All passwords are 256
random bits (a board's is derived from its key), so a quick hash does.
"""

import hashlib
import os

from fleet import credentials
from fleet.errors import FleetError

MOSQUITTO = """\
# Written by `{by}`; settings are in fleet.toml.
per_listener_settings false
allow_anonymous false
password_file {folder}/passwords
acl_file {folder}/acl
persistence true
persistence_location {data}/
autosave_interval 30
max_queued_messages 100000
max_inflight_messages 1000
max_packet_size 1048576
set_tcp_nodelay true
{log}log_type error
log_type warning
"""
LISTENER = """\
listener {port} {listen}
socket_domain ipv4
use_username_as_clientid true
"""
TLS = "certfile {tls_cert}\nkeyfile {tls_key}\n"
PLAIN_RISK = """\
# Without TLS, for the boards that were told to do without (--plain); users, passwords and rules are the same. Whoever is on the way can read such a
# board's orders, readings, log lines and its MQTT password, and with that read and write that board's topics, but make it run nothing: orders,
# commands and reports are authenticated, and modules are signed.
"""

EMQX = """\
# Written by `fleet broker config`: include it in EMQX's etc/emqx.conf, or put it in its place. For EMQX 5.7.2 and later.
# EMQX reads users.csv when the authenticator is made, and never overwrites a user: of a board that was removed and added anew, delete
# the old user (Dashboard: Access Control, Authentication, Users), then start EMQX again.
mqtt {{
  use_username_as_clientid = true
  max_mqueue_len = 100000
  max_inflight = 1000
  max_packet_size = 1MB
}}
authentication = [
  {{
    mechanism = password_based
    backend = built_in_database
    user_id_type = username
    password_hash_algorithm {{name = sha256, salt_position = suffix}}
    bootstrap_file = "{folder}/users.csv"
    bootstrap_type = hash
  }}
]
authorization {{
  no_match = deny
  deny_action = ignore
  cache.enable = true
  sources = [
    {{type = file, enable = true, path = "{folder}/acl.conf"}}
  ]
}}
{listener}"""
EMQX_TCP = 'listeners.tcp.default {{bind = "{listen}:{port}", enable_authn = true}}\n'
EMQX_TLS = """\
listeners.ssl.default {{
  bind = "{listen}:{port}"
  enable_authn = true
  ssl_options {{certfile = "{tls_cert}", keyfile = "{tls_key}", verify = verify_none}}
}}
"""
EMQX_NO_TCP = "listeners.tcp.default.enable = false\n"
EMQX_NO_TLS = "listeners.ssl.default.enable = false\n"
EMQX_OFF = "listeners.ws.default.enable = false\nlisteners.wss.default.enable = false\n"
_SERVICES = ", ".join(f'{{username, "{user}"}}' for user in credentials.SERVICE_USERS)
# Shared subscriptions are judged by the topic behind $share/GROUP/.
EMQX_ACL = f"""\
%% Written by `fleet broker config`.
{{allow, {{'or', [{_SERVICES}]}}, all, ["f/1/#"]}}.
{{allow, all, all, ["f/1/${{username}}/#"]}}.
{{deny, all}}.
"""


def mosquitto(folder, settings, listen, user=None, data=None, by="fleet broker config"):
    """{file name: text} but for the passwords; `settings` is the [broker] table, `user` who mosquitto shall be when root starts it."""
    log = f"log_dest file {folder}/broker.log\n" if data else "log_dest syslog\n"
    text = MOSQUITTO.format(by=by, folder=folder, data=data or f"{folder}/data", log=log)
    text += f"user {user}\n" if user else ""
    for port, secure in ports(settings):
        text += "" if secure or not settings["tls_cert"] else PLAIN_RISK
        text += LISTENER.format(port=port, listen=listen) + (TLS.format(**settings) if secure else "")
    return {"mosquitto.conf": text, "acl": credentials.ACL}


def emqx(folder, settings, listen):
    """{file name: text} but for the users."""
    text, offered = "", ports(settings)
    for port, secure in offered:
        text += "" if secure or not settings["tls_cert"] else PLAIN_RISK
        text += (EMQX_TLS if secure else EMQX_TCP).format(listen=listen, port=port, tls_cert=settings["tls_cert"], tls_key=settings["tls_key"])
    for secure, off in ((False, EMQX_NO_TCP), (True, EMQX_NO_TLS)):
        text += off if secure not in [kind for _, kind in offered] else ""
    return {"emqx.conf": EMQX.format(folder=folder, listener=text + EMQX_OFF), "acl.conf": EMQX_ACL}


def ports(settings):
    """[(port, whether with TLS)] that the broker listens on, by the [broker] table; FleetError where two are one."""
    if not settings["tls_cert"]:
        return [(settings["port"], False)]
    if settings["plain_port"] == settings["port"]:
        raise FleetError("`port` and `plain_port` in fleet.toml are the same: TLS and plain MQTT need a port each.")
    return [(settings["port"], True), *([(settings["plain_port"], False)] if settings["plain_port"] else [])]


def mosquitto_users(users):
    """The password file's text for [(user, password)]."""
    return "".join(credentials.password_line(*each) + "\n" for each in users)


def emqx_users(users):
    """The text of users.csv for [(user, password)]: SHA-256 over the password and a salt, in hex."""
    lines = ["user_id,password_hash,salt,is_superuser"]
    for user, password in users:
        salt = os.urandom(16).hex()
        lines.append(f"{user},{hashlib.sha256((password + salt).encode()).hexdigest()},{salt},false")
    return "\n".join(lines) + "\n"
